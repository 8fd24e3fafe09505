// The moments at which the crash tests kill Shoebox: each lies between two steps of which each is durable on
// its own, or is acknowledged. kill_point.h tells how; tests/crash/test_kill_points.py reaches every one of
// them.
#pragma once

#include <cstddef>
#include <string_view>

namespace shoebox {

struct KillPoint {
  std::string_view name;
  std::string_view done;  // what stands already
  std::string_view next;  // what does not yet
};

inline constexpr KillPoint kKillPoints[] = {
    // --- a file is written and sealed
    {"staging-synced", "the bytes", "the name of their file in staging/"},
    {"staging-named", "the bytes in staging/", "a record of them"},
    {"write-committed", "the record, but for a power cut", "its sync, and the answer to close()"},
    {"write-synced", "the record", "the answer to close()"},
    {"seal-moved", "the object in objects/", "its hashes in the catalog"},
    {"seal-recorded", "its hashes", "that anybody decodes it"},
    {"decode-thumbnails", "the thumbnails", "what the decoder found out"},
    {"decode-recorded", "what the decoder found out", "that anything comes of it"},
    {"file-replaced", "the temporary of a file that is replaced whole", "its rename"},
    // --- an original leaves this disk, comes back, turns out rotten, is erased
    {"evict-copied", "N.tmp with head and tail", "N.blocks"},
    {"evict-listed", "N.blocks", "the partial file"},
    {"evict-placed", "the partial file", "that the catalog says so"},
    {"evict-committed", "that the catalog says so, but for a power cut", "its sync"},
    {"evict-synced", "that the catalog says so", "the removal of the object"},
    {"evict-removed", "the removal of the object", "nothing"},
    {"trim-listed", "N.blocks of head and tail", "the partial file that has no more"},
    {"trim-placed", "the partial file that has no more, but for a power cut", "its sync"},
    {"fetch-stored", "perhaps a fetched block", "that N.blocks lists it"},
    {"fetch-synced", "the fetched blocks", "that N.blocks lists them"},
    {"complete-synced", "all blocks, checked", "the object"},
    {"complete-placed", "the object", "that the catalog says so"},
    {"complete-recorded", "that the catalog says so", "that readers hear of it"},
    {"rot-listed", "N.blocks of the good blocks", "the partial file"},
    {"rot-placed", "the partial file", "that the catalog says so"},
    {"rot-recorded", "that the catalog says so", "nothing"},
    {"erase-synced", "that the catalog forgot a content", "the removal of its files"},
    {"erase-removed", "the removal of its files", "the removal of those of the next one"},
    // --- an original goes to a remote
    {"upload-noted", "where it is being sent", "anything there"},
    {"upload-stored", "the object on the remote", "that the catalog knows"},
    {"upload-confirmed", "that the catalog knows", "the end of the upload"},
    {"aside-copied", "the copy of what stood in the way", "the object that takes its place"},
    {"put-written", "the temporary object, synced", "its place (directories)"},
    {"put-placed", "the object at its key", "the sync of its folder (directories)"},
    {"put-moved", "the object at its key", "the look at it (WebDAV, SFTP)"},
    {"put-uploaded", "the temporary object, confirmed", "its place (WebDAV, SFTP)"},
    {"multipart-begun", "an upload in parts on the server", "that the catalog knows of it"},
    {"multipart-noted", "that the catalog knows of it", "its first part"},
    {"part-sent", "a part", "that the catalog knows of it"},
    {"part-noted", "that the catalog knows of it", "all the other parts"},
    {"multipart-sent", "all parts", "that they are one object"},
    {"multipart-completed", "that they are one object", "the look at it"},
    // --- keys follow names; sidecars
    {"tidy-noted", "where a copy is to be made", "the copy"},
    {"tidy-copied", "the copy at the new key", "that the catalog knows"},
    {"tidy-recorded", "that the catalog knows, but for a power cut", "its sync"},
    {"tidy-synced", "that the catalog knows", "the removal of what is left at the old key"},
    {"tidy-removed", "the removal of what was left", "that the catalog knows"},
    {"sidecar-noted", "where a sidecar is being sent", "the sidecar"},
    {"sidecar-stored", "the sidecar", "that the catalog knows"},
    {"sidecar-recorded", "that the catalog knows, but for a power cut", "its sync"},
    // --- the catalog goes to a remote; who writes there
    {"backup-segment", "a segment", "the head that names it"},
    {"backup-intended", "which head is being sent", "the head"},
    {"backup-head", "the head", "that the catalog knows"},
    {"backup-known", "that the catalog knows", "the removal of what no head names"},
    {"backup-cleaned", "the removal of an object that no head names", "that of the next one"},
    {"owner-begun", "the record of a new owner", "that the owner relies on it"},
    {"owner-renewed", "the renewed record of the owner", "that nobody took over meanwhile"},
    {"owner-released", "the record of who does not write any more", "the end of the process"},
    {"owner-asked", "the question whether the owner is alive", "the answer"},
    {"owner-taken", "the record of who took over", "the wait for the former owner"},
    // --- copies are read back
    {"verify-queued", "that a bad copy is sent again", "anything there"},
    {"verify-aside", "the copy of a bad object", "its removal"},
    {"verify-removed", "the removal of a bad object", "the object that takes its place"},
    // --- folders come in and go out, libraries begin
    {"import-written", "the bytes under a hidden name", "their own name"},
    {"import-named", "their own name, but for a power cut", "its sync"},
    {"import-synced", "the imported file", "the removal of the source"},
    {"import-moved", "the removal of the source", "that of the next one"},
    {"export-written", "an exported file under a temporary name", "its own name"},
    {"export-named", "its own name", "the sync of its folder"},
    {"adopt-stored", "head and tail of adopted originals", "the objects of those that are whole"},
    {"adopt-placed", "the objects of those that are whole", "that the catalog knows any of them"},
    {"adopt-committed", "that the catalog knows them, but for a power cut", "its sync"},
    {"adopt-synced", "that the catalog knows them", "the next ones"},
    {"adopt-hashed", "the object of an adopted original that was read whole", "its hashes"},
    {"library-writer", "the name of this library directory, under a temporary name", "its own name"},
    {"rebuild-catalog", "the catalog, beside its place", "the settings"},
    {"rebuild-settings", "the settings", "the catalog at its place: the library"},
    {"rebuild-placed", "the library", "its thumbnails"},
};

inline constexpr size_t kKillPointCount = sizeof kKillPoints / sizeof kKillPoints[0];

}  // namespace shoebox
