// How a wrong passphrase is known before anything is written: the check object of an encrypted remote.
// Its name is plain, its bytes are encrypted as every object's are. A folder that rclone made has none;
// then its own objects tell.
//
// Threads: any. Every call but write_crypt_check() only reads.
#pragma once

#include "sync/remote/crypt_names.h"
#include "sync/remote/remote.h"

namespace shoebox {

inline constexpr const char* kCryptMetaFolder = ".shoebox/";  // plain names below it are the remote's own
inline constexpr const char* kCryptCheckKey = ".shoebox/crypt";

enum class CryptProof {
  kChecked,  // the check object opened
  kOpened,   // there is none, but objects that stand there opened
  kFresh,    // nothing is there: any passphrase will do
};

// kUnauthorized: it is another passphrase, or the place holds what is not encrypted. `plain` is the
// remote below the encryption.
Result<CryptProof> prove_crypt_keys(Remote& plain, const CryptKeys& keys, const CryptNames& names,
                                    const RequestContext& context);
// kInvalid when the check object stands there by its plain name: `remote` is an encrypted one, read as if it
// were not.
Status refuse_sealed(Remote& remote, const RequestContext& context);
// The check object alone: kNotFound when there is none.
Status read_crypt_check(Remote& plain, const CryptKeys& keys, const RequestContext& context);
// kUnauthorized: another writer came first with another passphrase.
Status write_crypt_check(Remote& plain, const CryptKeys& keys, const RequestContext& context);

}  // namespace shoebox
