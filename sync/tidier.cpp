#include "sync/tidier.h"

#include "store/outbox.h"
#include "sync/tidy.h"

namespace shoebox {
namespace {

class MoveOrRemove final : public WorkerStep {
 public:
  MoveOrRemove(Outbox& outbox, Remote& remote, const Clock& clock, TidyStep step)
      : WorkerStep(step.key, step.content.value, step.attempts),
        outbox_(outbox),
        remote_(remote),
        tidy_{outbox, remote, clock},
        step_(std::move(step)) {}
  Status run(const CancelToken& cancel, RequestHints& hints) override {
    return tidy_.run(step_, cancel, hints);
  }
  Status failed(const Status& why, int64_t not_before_s) override {
    return outbox_.tidy_failed(step_, remote_.name(), why, not_before_s);
  }

 private:
  Outbox& outbox_;
  Remote& remote_;
  const Tidy tidy_;
  const TidyStep step_;
};

class TidySource final : public StepSource {
 public:
  TidySource(Outbox& outbox, Remote& remote, const Clock& clock)
      : outbox_(outbox), remote_(remote), clock_(clock) {}
  Result<std::unique_ptr<WorkerStep>> next(bool hurry, const std::function<bool(uint64_t)>& skip,
                                           int64_t* due_s) override {
    const auto busy = [&](ContentNo content) { return skip(content.value); };
    SHOEBOX_ASSIGN(std::optional<TidyStep> step, outbox_.next_tidy(remote_.name(), hurry, busy, due_s));
    if (!step) return std::unique_ptr<WorkerStep>();
    return std::unique_ptr<WorkerStep>(
        std::make_unique<MoveOrRemove>(outbox_, remote_, clock_, std::move(*step)));
  }

  // Removals wait until the backup of the catalog tells why.
  [[nodiscard]] bool awaits() const override { return outbox_.tidy_awaits_backup(remote_.name()); }

 private:
  Outbox& outbox_;
  Remote& remote_;
  const Clock& clock_;
};

}  // namespace

Tidier::Tidier(Outbox& outbox, Remote& remote, const Clock& clock, Options options)
    : StepWorker(std::make_unique<TidySource>(outbox, remote, clock), "tidy", remote.name(), clock,
                 std::move(options)) {}

}  // namespace shoebox
