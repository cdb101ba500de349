/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/tls.h"

#include <stdio.h>
#include <string.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static const struct suite {
	uint16_t code;
	const char *name;
} suites[] = {
#define SUITE(number, text) { number, text },
#include "appliance/wire/tls_suites.def"
};

const char *tls_suite_name(uint16_t suite)
{
	size_t lo = 0, hi = LENGTH(suites);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (suites[mid].code == suite)
			return suites[mid].name;
		if (suites[mid].code < suite)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const char *tls_version_name(uint16_t version, char room[TLS_VERSION_TEXT])
{
	static const char *const names[] = { "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3" };

	if (version >= 0x0300 && version <= TLS_1_3)
		return names[version - 0x0300];
	snprintf(room, TLS_VERSION_TEXT, "0x%04x", version);
	return room;
}

static bool begins_with(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* Whether the key exchange uses the server's own key or a shared one: a person who gets that key
 * can read recorded sessions. */
static bool keeps_its_key(const char *name)
{
	static const char *const exchanges[] = { "TLS_RSA_",	    "TLS_DH_RSA_",   "TLS_DH_DSS_", "TLS_ECDH_RSA_",
						 "TLS_ECDH_ECDSA_", "TLS_PSK_WITH_", "TLS_KRB5_" };

	for (size_t i = 0; i < LENGTH(exchanges); i++)
		if (begins_with(name, exchanges[i]))
			return true;
	return false;
}

uint32_t tls_weak(uint16_t version, uint16_t suite)
{
	static const struct {
		const char *part;
		enum tls_weakness is;
	} parts[] = {
		{ "_NULL_", TLS_WEAK_NULL },
		{ "TLS_SHA256_SHA256", TLS_WEAK_NULL },
		{ "TLS_SHA384_SHA384", TLS_WEAK_NULL },
		{ "_anon_", TLS_WEAK_ANON },
		{ "_EXPORT", TLS_WEAK_EXPORT },
		{ "_RC4_", TLS_WEAK_RC4 },
		{ "_RC2_", TLS_WEAK_RC2 },
		{ "_DES_", TLS_WEAK_DES },
		{ "_DES40_", TLS_WEAK_DES },
		{ "_3DES_", TLS_WEAK_3DES },
		{ "_MD5", TLS_WEAK_MD5 },
	};
	const char *name = tls_suite_name(suite);
	uint32_t bits = version < TLS_1_2 ? 1u << TLS_WEAK_VERSION : 0;

	for (size_t i = 0; name != NULL && i < LENGTH(parts); i++)
		if (strstr(name, parts[i].part) != NULL)
			bits |= 1u << parts[i].is;
	if (name != NULL && keeps_its_key(name))
		bits |= 1u << TLS_WEAK_NO_FS;
	return bits;
}

bool tls_weak_is_lesser(uint32_t bits)
{
	return bits == 1u << TLS_WEAK_NO_FS;
}

static const struct {
	const char *word, *en, *ja;
} weaknesses[] = {
#define TLS_WEAK(id, ...) [TLS_WEAK_##id] = { __VA_ARGS__ },
	TLS_WEAKNESSES
#undef TLS_WEAK
};

const char *tls_weakness_word(enum tls_weakness w)
{
	return (unsigned)w < TLS_WEAKNESS_COUNT ? weaknesses[w].word : "";
}

const char *tls_weakness_text(enum tls_weakness w, const char *lang)
{
	if ((unsigned)w >= TLS_WEAKNESS_COUNT)
		return "";
	return strcmp(lang, "ja") == 0 ? weaknesses[w].ja : weaknesses[w].en;
}

enum tls_weakness tls_weakness_by_word(const char *word)
{
	unsigned w = 0;

	while (w < TLS_WEAKNESS_COUNT && strcmp(weaknesses[w].word, word) != 0)
		w++;
	return (enum tls_weakness)w;
}
