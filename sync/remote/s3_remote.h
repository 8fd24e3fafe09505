// S3 as remote (s3://bucket/prefix): AWS, Ceph RGW, MinIO, Garage.
//
// An upload is confirmed by the signed SHA-256 and Content-MD5 of each body, which the server checks,
// and by the ETag and size of the whole.
//
// Threads: any; each call blocks in the transfer loop, which cancel and deadline end.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "store/base/mutex.h"
#include "sync/remote/remote.h"
#include "sync/remote/s3_client.h"

namespace shoebox {

struct S3Tuning {
  uint64_t multipart_above = 16ULL << 20;  // one part is what a broken connection costs at most
  uint64_t part_bytes = 16ULL << 20;       // S3 wants 5 MiB at least
  uint64_t copy_whole_up_to = 5ULL << 30;  // CopyObject's limit
  uint64_t copy_part_bytes = 1ULL << 30;
};

class S3Remote final : public Remote {
 public:
  S3Remote(std::string name, std::unique_ptr<S3Client> client, S3Tuning tuning = {});

  [[nodiscard]] const std::string& name() const override { return name_; }
  Status check(const RequestContext& context) override;
  Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                           const RequestContext& context) override;
  Result<RemoteObject> stat(const std::string& key, const RequestContext& context) override;
  Status get(const std::string& key, ByteRange range, const std::string& etag,
             const std::function<Status(std::string_view)>& sink, const RequestContext& context) override;
  Result<ListPage> list(const std::string& prefix, const std::string& next,
                        const RequestContext& context) override;
  Status copy(const std::string& from, const std::string& to, const RequestContext& context) override;
  Status remove(const std::string& key, const RequestContext& context) override;
  Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                    const RequestContext& context) override;

 private:
  enum class Conditional { kUnknown, kHonoured, kIgnored };

  // The whole key in the bucket, checked.
  Result<std::string> whole_key(const std::string& key) const;
  Result<RemoteObject> put_whole(const std::string& key, const std::string& whole, int fd,
                                 const PutOptions& options, const RequestContext& context);
  // Whether what stands at the key is this very object; kConflict when it is another.
  Result<S3Head> same_object(const std::string& whole, const PutOptions& options, const std::string& md5_hex,
                             const RequestContext& context);
  // Whether the server honours If-None-Match, tried once on an object of our own.
  Result<Conditional> probe_conditional(const RequestContext& context);
  Status remove_probe(const std::string& whole_key, const RequestContext& context);
  void remove_left_probes(const RequestContext& context);

  // While it lives, uploads in parts to this key are under way here.
  class Sending;
  [[nodiscard]] bool is_sending(const std::string& whole_key) const EXCLUDES(mutex_);
  Result<uint64_t> end_uploads(const std::string& whole_prefix, const std::string& only_key,
                               const IsGivenUp& given_up, const RequestContext& context);

  const std::string name_;
  const std::unique_ptr<S3Client> client_;
  const S3Tuning tuning_;
  std::atomic<Conditional> conditional_{Conditional::kUnknown};
  mutable Mutex mutex_;                                      // leaf: held over no request
  std::vector<std::string> left_probes_ GUARDED_BY(mutex_);  // may stand there yet
  std::multiset<std::string> sending_ GUARDED_BY(mutex_);    // whole keys of uploads in parts
};

}  // namespace shoebox
