/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS versions and cipher suites by their numbers on the wire: their names and their weaknesses.
 *
 * RFC 9325 (BCP 195) says what is weak: versions below TLS 1.2 (3.1.1); suites without encryption,
 * with RC4 or below 112 bits (4.1, must not); suites below 128 bits or without forward secrecy
 * (4.1, should not). RFC 5246 (A.5) forbids suites without authentication of the server, and RFC
 * 6151 forbids MD5. The "recommended" setting of IPA's and CRYPTREC's TLS guideline (3.x) asks for
 * the same.
 */
#ifndef SEKISHO_WIRE_TLS_H
#define SEKISHO_WIRE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_1_2 0x0303u
#define TLS_1_3 0x0304u

/* TLS_WEAK(identifier, word, English, Japanese): the order is that of the bits, which records keep:
 * new ones come last. */
#define TLS_WEAKNESSES                                                                                                 \
	TLS_WEAK(VERSION, "old_version", "a version below TLS 1.2", "TLS 1.2 より古いバージョン")                      \
	TLS_WEAK(NULL, "no_encryption", "no encryption", "暗号化なし")                                                 \
	TLS_WEAK(ANON, "no_authentication", "the server does not prove who it is", "サーバーの認証なし")               \
	TLS_WEAK(EXPORT, "export", "keys cut for export", "輸出規制時代の短い鍵")                                      \
	TLS_WEAK(RC4, "rc4", "RC4", "RC4")                                                                             \
	TLS_WEAK(RC2, "rc2", "RC2", "RC2")                                                                             \
	TLS_WEAK(DES, "des", "DES", "DES")                                                                             \
	TLS_WEAK(3DES, "3des", "Triple DES", "3DES")                                                                   \
	TLS_WEAK(MD5, "md5", "MD5", "MD5")                                                                             \
	TLS_WEAK(NO_FS, "no_forward_secrecy", "no forward secrecy", "前方秘匿性なし")

enum tls_weakness {
#define TLS_WEAK(id, ...) TLS_WEAK_##id,
	TLS_WEAKNESSES
#undef TLS_WEAK
		TLS_WEAKNESS_COUNT
};

/* The name of a suite in IANA's registry, or NULL. */
const char *tls_suite_name(uint16_t suite);
/* "TLS 1.2", "SSL 3.0"; an unknown version as "0x7f1c", written to `room`. */
#define TLS_VERSION_TEXT 8
const char *tls_version_name(uint16_t version, char room[TLS_VERSION_TEXT]);
/* The weaknesses of version and suite: bits by enum tls_weakness. An unknown suite does not count
 * as weak. */
uint32_t tls_weak(uint16_t version, uint16_t suite);
/* Whether the only weakness is missing forward secrecy, which RFC 9325 rates as "should not". */
bool tls_weak_is_lesser(uint32_t bits);
const char *tls_weakness_word(enum tls_weakness w);
const char *tls_weakness_text(enum tls_weakness w, const char *lang); /* lang: "en" or "ja" */
enum tls_weakness tls_weakness_by_word(const char *word);	      /* TLS_WEAKNESS_COUNT: none */

#endif
