#include "sync/sidecar_sender.h"

#include "store/outbox.h"
#include "sync/sidecar_upload.h"

namespace shoebox {
namespace {

class SendSidecar final : public WorkerStep {
 public:
  SendSidecar(Outbox& outbox, Remote& remote, const Clock& clock, SidecarStep step)
      : WorkerStep(step.key, step.photo.value, step.attempts),
        upload_{outbox, remote, clock},
        step_(std::move(step)) {}
  Status run(const CancelToken& cancel, RequestHints& hints) override {
    return upload_.run(step_, cancel, hints);
  }
  Status failed(const Status& why, int64_t not_before_s) override {
    return upload_.outbox.sidecar_failed(step_, upload_.remote.name(), why, not_before_s);
  }

 private:
  const SidecarUpload upload_;
  const SidecarStep step_;
};

class SidecarSource final : public StepSource {
 public:
  SidecarSource(Outbox& outbox, Remote& remote, const Clock& clock)
      : outbox_(outbox), remote_(remote), clock_(clock) {}
  Result<std::unique_ptr<WorkerStep>> next(bool hurry, const std::function<bool(uint64_t)>& skip,
                                           int64_t* due_s) override {
    const auto busy = [&](PhotoId photo) { return skip(photo.value); };
    SHOEBOX_ASSIGN(std::optional<SidecarStep> step, outbox_.next_sidecar(remote_.name(), hurry, busy, due_s));
    if (!step) return std::unique_ptr<WorkerStep>();
    return std::unique_ptr<WorkerStep>(
        std::make_unique<SendSidecar>(outbox_, remote_, clock_, std::move(*step)));
  }

 private:
  Outbox& outbox_;
  Remote& remote_;
  const Clock& clock_;
};

}  // namespace

SidecarSender::SidecarSender(Outbox& outbox, Remote& remote, const Clock& clock, Options options)
    : StepWorker(std::make_unique<SidecarSource>(outbox, remote, clock), "sidecars", remote.name(), clock,
                 std::move(options)) {}

}  // namespace shoebox
