/* SPDX-License-Identifier: Apache-2.0 */
/* TLS hellos as clients and servers send them, for several tests. */
#ifndef SEKISHO_TESTS_UNIT_HELLOS_H
#define SEKISHO_TESTS_UNIT_HELLOS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HELLO_ROOM 512u

static inline size_t hello_finish(uint8_t *out, size_t n)
{
	out[3] = (uint8_t)((n - 5) >> 8);
	out[4] = (uint8_t)(n - 5);
	out[7] = (uint8_t)((n - 9) >> 8);
	out[8] = (uint8_t)(n - 9);
	return n;
}

static inline size_t hello_random(uint8_t *out, size_t n)
{
	for (uint8_t i = 0; i < 32; i++)
		out[n++] = (uint8_t)(i * 37u + 5u);
	return n;
}

/* A ClientHello of TLS 1.2 with only these extensions, whose length may be above 255 bytes. */
static inline size_t client_hello_with(uint8_t *out, const uint8_t *extensions, size_t n_extensions)
{
	size_t n = 11;

	memcpy(out, "\x16\x03\x01\x00\x00\x01\x00\x00\x00\x03\x03", 11);
	n = hello_random(out, n);
	memcpy(out + n, "\x00\x00\x02\xc0\x2f\x01\x00", 7);
	n += 7;
	out[n++] = (uint8_t)(n_extensions >> 8);
	out[n++] = (uint8_t)n_extensions;
	if (n_extensions > 0) /* memcpy must not get NULL */
		memcpy(out + n, extensions, n_extensions);
	return hello_finish(out, n + n_extensions);
}

/* The server_name extension for a name of `n` bytes. */
static inline size_t hello_name_extension(uint8_t *out, const char *name, size_t n)
{
	const uint8_t head[] = { 0,
				 0,
				 (uint8_t)((n + 5) >> 8),
				 (uint8_t)(n + 5),
				 (uint8_t)((n + 3) >> 8),
				 (uint8_t)(n + 3),
				 0,
				 (uint8_t)(n >> 8),
				 (uint8_t)n };

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), name, n);
	return sizeof(head) + n;
}

/* A ClientHello that names this server; "": that names none. */
static inline size_t client_hello_for(uint8_t *out, const char *name)
{
	uint8_t extension[400];
	size_t n = *name != '\0' ? hello_name_extension(extension, name, strlen(name)) : 0;

	return client_hello_with(out, extension, n);
}

/* A ClientHello as a browser sends it, with SNI "tos.example"; it offers TLS 1.3 and 1.2, with a
 * reserved value (GREASE) in front. */
static inline size_t client_hello(uint8_t *out)
{
	static const uint8_t sni[] = { 0,   0,	 0,   16,  0,	14,  0,	  0,   11,  't',
				       'o', 's', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e' };
	static const uint8_t versions[] = { 0, 43, 0, 7, 6, 0x7a, 0x7a, 3, 4, 3, 3 };
	size_t n = 11;

	memcpy(out, "\x16\x03\x01\x00\x00\x01\x00\x00\x00\x03\x03", 11);
	n = hello_random(out, n);
	out[n++] = 0;
	memcpy(out + n, "\x00\x04\x13\x01\xc0\x2f\x01\x00", 8);
	n += 8;
	out[n++] = 0;
	out[n++] = sizeof(sni) + sizeof(versions);
	memcpy(out + n, sni, sizeof(sni));
	n += sizeof(sni);
	memcpy(out + n, versions, sizeof(versions));
	return hello_finish(out, n + sizeof(versions));
}

/* A ServerHello with this version and this cipher suite; the version 1.3 is in its extension.
 * `bare`: without extensions. */
static inline size_t server_hello(uint8_t *out, uint16_t version, uint16_t suite, bool bare)
{
	uint8_t legacy = version > 0x0303 ? 3 : (uint8_t)version;
	size_t n = 11;

	memcpy(out, "\x16\x03\x00\x00\x00\x02\x00\x00\x00\x03\x00", 11);
	out[2] = out[10] = legacy;
	n = hello_random(out, n);
	out[n++] = 32;
	n = hello_random(out, n);
	out[n++] = (uint8_t)(suite >> 8);
	out[n++] = (uint8_t)suite;
	out[n++] = 0;
	if (bare)
		return hello_finish(out, n);
	memcpy(out + n, "\x00\x05\xff\x01\x00\x01\x00", 7); /* renegotiation_info */
	n += 7;
	if (version <= 0x0303)
		return hello_finish(out, n);
	out[n - 6] = 11;
	memcpy(out + n, "\x00\x2b\x00\x02", 4);
	out[n + 4] = (uint8_t)(version >> 8);
	out[n + 5] = (uint8_t)version;
	return hello_finish(out, n + 6);
}

#endif
