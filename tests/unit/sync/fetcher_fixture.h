// A fetcher of a small library whose evicted files are on two remotes that the test holds in its hands.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sync/fetcher.h"
#include "tests/unit/sync/fake_remote.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox::testing {

class FetcherFixture : public SyncFixture {
 protected:
  void SetUp() override {
    SyncFixture::SetUp();
    Fetcher::Options options;
    options.threads = 3;
    options.backoff.random = [] { return 0.0; };
    fetcher_ = std::make_unique<Fetcher>(*catalog_, *contents_, clock_, options);
    fetcher_->add_remote(first_);
    fetcher_->add_remote(second_);
    fetcher_->on_copy_missing(
        [this](ContentNo, const std::string& remote, const std::string&) { missing_.push_back(remote); });
    fetcher_->on_copy_found([this](ContentNo, const std::string& remote) { found_.push_back(remote); });
    fetcher_->start();
  }
  void TearDown() override {
    first_.release();
    second_.release();
    fetcher_.reset();
  }

  // An evicted file with a copy on the remotes.
  ContentNo add_evicted(const std::string& name, const std::string& bytes, bool on_second = true) {
    const ContentNo content = add(name, bytes, {});
    const RemoteCopy copy{"Library/" + name, "etag", bytes.size(), 1};
    const auto txn = catalog_->begin();
    txn->put_copy(content, "first", copy);
    if (on_second) txn->put_copy(content, "second", copy);
    EXPECT_TRUE(txn->commit());
    first_.place(copy.key, bytes);
    second_.place(copy.key, bytes);
    EXPECT_TRUE(contents_->evict(content));
    return content;
  }
  Status get(ContentNo content, ByteRange range, CancelToken cancel = {}) {
    return fetch(*fetcher_, content, range, std::move(cancel));
  }

  // Once the last block has come, which may be after the last read was served.
  std::string bytes_when_local(ContentNo content) {
    while ((*catalog_->content(content))->residence != Residence::kLocal) std::this_thread::yield();
    return local_bytes(content);
  }

  FakeRemote first_{"first"}, second_{"second"};
  std::vector<std::string> missing_, found_;
  std::unique_ptr<Fetcher> fetcher_;
};

}  // namespace shoebox::testing
