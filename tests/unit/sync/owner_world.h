// Machines that share one remote, for the tests of the lease: each with a wall clock that is wrong in its
// own way and a steady clock that began at another time.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "sync/leased_remote.h"
#include "sync/owner_lease.h"
#include "tests/unit/sync/fake_remote.h"

namespace shoebox::testing {

// The time that passes for all of them. Far beyond the real steady clock, by which remotes judge deadlines.
class WorldTime {
 public:
  void advance(int64_t s) { passed_s_ += s; }
  [[nodiscard]] int64_t passed_s() const { return passed_s_; }

 private:
  std::atomic<int64_t> passed_s_{0};
};

class MachineClock final : public Clock {
 public:
  MachineClock(const WorldTime& time, int64_t wall_s, int64_t steady_s)
      : time_(time), wall_s_(wall_s), steady_s_(steady_s) {}
  [[nodiscard]] Timestamp now() const override { return {wall_s_ + time_.passed_s(), 0}; }
  [[nodiscard]] Steady steady() const override {
    return Steady(std::chrono::seconds(steady_s_ + time_.passed_s()));
  }

 private:
  const WorldTime& time_;
  const int64_t wall_s_, steady_s_;
};

// Lets the test act before a request, fail it, or lose the answer to it.
class HookedRemote final : public Remote {
 public:
  explicit HookedRemote(Remote& inner) : inner_(inner) {}
  std::function<Status(const char*what, const std::string&key)> before, after;
  bool looks_first = false;       // puts with if_absent look and then write
  std::function<void()> between;  // then, in between

  [[nodiscard]] const std::string& name() const override { return inner_.name(); }
  Status check(const RequestContext& context) override { return inner_.check(context); }
  Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                           const RequestContext& context) override {
    SHOEBOX_TRY(call(before, "put", key));
    PutOptions changed = options;
    if (looks_first && options.if_absent) {
      const auto there = inner_.stat(key, context);
      if (there) return Status(Code::kConflict, "hooked: something stands there");
      if (between) between();
      changed.if_absent = false;
      if (context.hints != nullptr) context.hints->looked_first = true;
    }
    const auto done = inner_.put(key, fd, changed, context);
    if (const Status lost = call(after, "put", key); !lost) return lost;
    return done;
  }
  Result<RemoteObject> stat(const std::string& key, const RequestContext& context) override {
    return inner_.stat(key, context);
  }
  Status get(const std::string& key, ByteRange range, const std::string& etag,
             const std::function<Status(std::string_view)>& sink, const RequestContext& context) override {
    SHOEBOX_TRY(call(before, "get", key));
    return inner_.get(key, range, etag, sink, context);
  }
  Result<ListPage> list(const std::string& prefix, const std::string& next,
                        const RequestContext& context) override {
    SHOEBOX_TRY(call(before, "list", prefix));
    return inner_.list(prefix, next, context);
  }
  Status copy(const std::string& from, const std::string& to, const RequestContext& context) override {
    return inner_.copy(from, to, context);
  }
  Status remove(const std::string& key, const RequestContext& context) override {
    return inner_.remove(key, context);
  }
  Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                    const RequestContext& context) override {
    return inner_.remove_leftovers(key, given_up, context);
  }

 private:
  static Status call(const std::function<Status(const char*, const std::string&)>& hook, const char* what,
                     const std::string& key) {
    return hook ? hook(what, key) : Status::ok();
  }
  Remote& inner_;
};

inline std::string owner_id_of(char digit) { return std::string(32, digit); }

// One machine with a library directory: its writer is the same after a restart.
class Machine {
 public:
  Machine(FakeRemote& remote, const WorldTime& time, char writer, const std::string& host, int64_t wall_s,
          int64_t steady_s)
      : hooks(remote), clock(time, wall_s, steady_s), writer_(owner_id_of(writer)), host_(host) {
    restart();
  }
  // As after kill -9.
  void restart() {
    leased.reset();
    lease.reset();
    OwnerLease::Library asked;
    asked.id = [this] { return Result<std::string>(library); };
    asked.fits = [this](const std::string&, const CancelToken&) { return fits ? fits() : Status::ok(); };
    asked.accept = [this](const std::string&, const CancelToken&) {
      fits = nullptr;
      return Status::ok();
    };
    OwnerLease::Options options;
    options.writer = writer_;
    options.host = host_;
    options.user = "anna";
    options.on_granted = [this] { ++granted; };
    lease = std::make_unique<OwnerLease>(hooks, clock, std::move(asked), std::move(options));
    leased = std::make_unique<LeasedRemote>(hooks, *lease);
  }
  Status write(const std::string& key = "Library/a.jpg") {
    const UniqueFd fd = open_file("/dev/null", O_RDONLY).value();
    PutOptions options;
    options.sha256 = sha256("");
    return leased->put(key, fd.get(), options, {}).status();
  }
  Status take_over(bool force = false, const CancelToken& cancel = {}) {
    TakeoverRequest request;
    request.remote = "nas";
    request.force = force;
    return lease->take_over(request, cancel, nullptr);
  }
  [[nodiscard]] bool may_write() const { return lease->allowed().is_ok(); }

  std::string library = owner_id_of('1');
  std::function<Status()> fits;
  std::atomic<int> granted{0};
  HookedRemote hooks;
  MachineClock clock;
  std::unique_ptr<OwnerLease> lease;
  std::unique_ptr<LeasedRemote> leased;

 private:
  const std::string writer_, host_;
};

class OwnerWorld : public ::testing::Test {
 protected:
  OwnerRecord record(const std::string& key = ".shoebox/owner/1") {
    const auto text = remote_.object(key);
    EXPECT_TRUE(text) << key;
    const auto record = parse_owner_record(text ? *text : "");
    EXPECT_TRUE(record) << record.status().message();
    return record ? *record : OwnerRecord();
  }
  void place(OwnerRecord record) { remote_.place(owner_key(record.term), encode(record)); }
  // Each look of `machine` at the remote takes so long.
  void each_look_takes(Machine& machine, int64_t s) {
    machine.hooks.before = [this, s](const char* what, const std::string&) {
      if (what == std::string("get")) time_.advance(s);
      return Status::ok();
    };
  }

  WorldTime time_;
  FakeRemote remote_{"nas"};
  // Years apart, and booted at other times.
  Machine desk_{remote_, time_, 'a', "desk", 1'700'000'000, 20'000'000};
  Machine laptop_{remote_, time_, 'b', "laptop", 1'500'000'000, 90'000'000};
  Machine attic_{remote_, time_, 'c', "attic", 4'000'000'000, 50'000'000};
};

}  // namespace shoebox::testing
