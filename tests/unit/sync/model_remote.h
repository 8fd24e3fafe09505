// A Remote in memory for model tests: each call may fail before or after it took effect, and all calls
// fail from a moment on that the test chose, as for a program that is killed there.
#pragma once

#include <map>
#include <random>
#include <set>

#include "store/base/file_io.h"
#include "store/base/hash.h"
#include "store/catalog/keys.h"
#include "sync/remote/remote.h"

namespace shoebox::testing {

class ModelRemote final : public Remote {
 public:
  struct Object {
    std::string bytes;
    std::string etag;
    bool stranger = false;  // put there behind our back
  };
  ModelRemote(std::string name, std::mt19937& random) : name_(std::move(name)), random_(random) {}

  std::map<std::string, Object> objects;
  double faults = 0;       // share of the calls that fail
  int calls_to_live = -1;  // dies in the call after so many; -1: never
  bool dead = false;
  bool folds = false;  // keys that differ in case or Unicode form only name one object

  // The key as the object is called that it names.
  [[nodiscard]] std::string called(const std::string& key) const {
    if (!folds || objects.contains(key)) return key;
    for (const auto& [name, object] : objects) {
      if (keys::fold(name) == keys::fold(key)) return name;
    }
    return key;
  }

  // Somebody else writes under `key`.
  void place(const std::string& key, const std::string& bytes) {
    objects[called(key)] = {bytes, next_etag(), true};
  }

  [[nodiscard]] const std::string& name() const override { return name_; }
  Status check(const RequestContext&) override { return Status::ok(); }
  Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                           const RequestContext&) override {
    const Outcome outcome = enter();
    if (outcome == Outcome::kBefore) return broken();
    std::string bytes(options.size, '\0');
    const auto got = pread_full(fd, bytes.data(), bytes.size(), 0);
    if (!got || *got != options.size || sha256(bytes) != options.sha256) {
      return Status(Code::kDataLoss, "model: the file is not what it should be");
    }
    const auto there = objects.find(called(key));
    if (there != objects.end() && options.if_absent) {
      if (there->second.bytes != bytes) return Status(Code::kConflict, "model: another object stands there");
      there->second.stranger = false;
    } else {
      objects[called(key)] = {std::move(bytes), next_etag(), false};
    }
    return outcome == Outcome::kAfter ? broken() : describe(key);
  }
  Result<RemoteObject> stat(const std::string& key, const RequestContext&) override {
    return enter() == Outcome::kOk ? describe(key) : broken();
  }
  Status get(const std::string& key, ByteRange range, const std::string&,
             const std::function<Status(std::string_view)>& sink, const RequestContext&) override {
    if (enter() != Outcome::kOk) return broken().status();
    const auto found = objects.find(called(key));
    if (found == objects.end()) return {Code::kNotFound, "model: no such object"};
    return sink(std::string_view(found->second.bytes).substr(range.begin, range.size()));
  }
  Result<ListPage> list(const std::string&, const std::string&, const RequestContext&) override {
    return ListPage();
  }
  Status copy(const std::string& from, const std::string& to, const RequestContext&) override {
    const Outcome outcome = enter();
    if (outcome == Outcome::kBefore) return broken().status();
    const auto source = objects.find(called(from));
    if (source == objects.end()) return {Code::kNotFound, "model: no such object"};
    const Object copied{source->second.bytes, next_etag(), source->second.stranger};
    objects[called(to)] = copied;
    return outcome == Outcome::kAfter ? broken().status() : Status::ok();
  }
  Status remove(const std::string& key, const RequestContext&) override {
    const Outcome outcome = enter();
    if (outcome == Outcome::kBefore) return broken().status();
    const auto found = objects.find(called(key));
    if (found != objects.end() && found->second.stranger) removed_strangers.insert(key);
    objects.erase(called(key));
    return outcome == Outcome::kAfter ? broken().status() : Status::ok();
  }
  Result<uint64_t> remove_leftovers(const std::string&, const IsGivenUp&, const RequestContext&) override {
    return 0;
  }
  std::set<std::string> removed_strangers;

 private:
  enum class Outcome { kOk, kBefore, kAfter };
  Outcome enter() {
    if (dead) return Outcome::kBefore;
    const bool either = random_() % 2 == 0;
    if (calls_to_live == 0) {
      dead = true;
      return either ? Outcome::kBefore : Outcome::kAfter;
    }
    if (calls_to_live > 0) --calls_to_live;
    if (std::uniform_real_distribution<>(0, 1)(random_) >= faults) return Outcome::kOk;
    return either ? Outcome::kBefore : Outcome::kAfter;
  }
  static Result<RemoteObject> broken() { return Status(Code::kUnavailable, "model: no answer"); }
  Result<RemoteObject> describe(const std::string& key) {
    const auto found = objects.find(called(key));
    if (found == objects.end()) return Status(Code::kNotFound, "model: no such object");
    return RemoteObject{key, found->second.etag, found->second.bytes.size(), 0};
  }
  std::string next_etag() { return "e" + std::to_string(++etags_); }

  const std::string name_;
  std::mt19937& random_;
  uint64_t etags_ = 0;
};

}  // namespace shoebox::testing
