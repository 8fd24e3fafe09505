// What a file's name says about it, before anything has looked inside.
//
// Junk and temporary names are accepted wherever a program writes them, stay at that name and stay
// local: they get no PhotoId and no upload job until they are renamed to a real name. The rule looks
// at the last component only: `.gitignore` is junk (every dot name is), `.git/config` is not. A file
// with a plain name in a hidden folder is thus backed up: sending too much loses nothing.
// Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shoebox {

// Stays local, is no photo: `.x` (with ._*, .DS_Store, .goutputstream-*, .name.XXXXXX), `x~`,
// Thumbs.db, desktop.ini, and every temporary name.
[[nodiscard]] bool is_junk(std::string_view name);
// A name under which a program writes what it renames when complete: x.part, x.crdownload, x.tmp,
// .goutputstream-*, .name.XXXXXX, x_exiftool_tmp. All of them are junk.
[[nodiscard]] bool is_temporary(std::string_view name);
// By its extension a photo or a video that the decoder knows, or a RAW.
[[nodiscard]] bool is_media_name(std::string_view name);
[[nodiscard]] bool is_video_name(std::string_view name);

// What a sidecar belongs to: "IMG_1.jpg.xmp" to the file IMG_1.jpg, "IMG_1.xmp" to every photo
// whose name without extension is IMG_1.
struct SidecarOf {
  std::string name;
  bool whole_name = false;  // false: `name` is the stem
};
[[nodiscard]] std::optional<SidecarOf> sidecar_of(std::string_view name);
[[nodiscard]] inline bool is_sidecar(std::string_view name) { return sidecar_of(name).has_value(); }
// Whether `sidecar` belongs to the photo called `photo` in the same folder.
[[nodiscard]] bool is_sidecar_of(std::string_view sidecar, std::string_view photo);

// The photo that a file is the backup copy of, as programs call theirs: "x.jpg" of x.jpg_original (ExifTool),
// x.jpg~ and x.jpg.bak (editors). Empty: it is none by its name.
[[nodiscard]] std::string_view photo_of_backup_copy(std::string_view name);
// Names under which programs keep the former bytes of the photo `name`: those, and x.bak.
[[nodiscard]] std::vector<std::string> backup_copy_names(std::string_view name);

// "IMG_1" and ".jpg"; the extension is empty when there is none. A leading dot starts no extension.
[[nodiscard]] std::string_view stem_of(std::string_view name);
[[nodiscard]] std::string_view extension_of(std::string_view name);
// "IMG_1.jpg", 2 -> "IMG_1 (2).jpg", shortened on a UTF-8 boundary where it would pass 255 bytes.
[[nodiscard]] std::string numbered_name(std::string_view name, unsigned number);

}  // namespace shoebox
