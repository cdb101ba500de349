/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recognisers: first bytes of real peers, every prefix of them, and their neighbours.
 *
 * LINK: dpi/recognise.c dpi/%/recognise.c appliance/wire/protocols.c appliance/base/bytes.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "dpi/protocol.h"

struct sample {
	enum protocol protocol;
	enum direction dir;
	size_t needed; /* bytes after which it is decided */
	size_t n;
	const char *bytes;
};

#define S(p, d, needed, text)                                                                                          \
	{                                                                                                              \
		p, d, needed, sizeof(text) - 1, text                                                                   \
	}

static const struct sample good[] = {
	S(PROTO_DNS, DIR_C2S, 14, "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x03www"),
	S(PROTO_TLS, DIR_C2S, 11,
	  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
	  "abcdefgh"),
	S(PROTO_TLS, DIR_S2C, 11,
	  "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"
	  "abcdefgh"),
	S(PROTO_TLS, DIR_S2C, 6, "\x15\x03\x03\x00\x02\x02\x28"),
	S(PROTO_SSH, DIR_C2S, 8, "SSH-2.0-OpenSSH_9.2p1\r\n"),
	S(PROTO_SSH, DIR_S2C, 8, "SSH-2.0-dropbear\r\n"),
	S(PROTO_SSH, DIR_S2C, 9, "SSH-1.99-Cisco-1.25\r\n"),
	S(PROTO_HTTP, DIR_C2S, 5, "GET / HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 10, "PROPFIND /dav HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 9, "OPTIONS * HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 8, "GET http://tos/ HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 9, "CONNECT tos:443 HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 14, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	S(PROTO_HTTP, DIR_S2C, 8, "HTTP/1.1 200 OK\r\n"),
	S(PROTO_POSTGRESQL, DIR_C2S, 8, "\x00\x00\x00\x08\x04\xd2\x16\x2f"),
	S(PROTO_POSTGRESQL, DIR_C2S, 8, "\x00\x00\x00\x08\x04\xd2\x16\x30"),
	S(PROTO_POSTGRESQL, DIR_C2S, 8, "\x00\x00\x00\x10\x04\xd2\x16\x2e\x00\x00\x01\x00\xaa\xbb\xcc\xdd"),
	S(PROTO_POSTGRESQL, DIR_C2S, 9, "\x00\x00\x00\x54\x00\x03\x00\x00user\x00tos\x00"),
	S(PROTO_POSTGRESQL, DIR_S2C, 5, "R\x00\x00\x00\x08\x00\x00\x00\x00"),
	S(PROTO_POSTGRESQL, DIR_S2C, 5, "E\x00\x00\x00\x65SFATAL"),
	S(PROTO_MODBUS, DIR_C2S, 8, "\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x0a"),
	S(PROTO_MODBUS, DIR_S2C, 8, "\x00\x01\x00\x00\x00\x03\x01\x83\x02"),
	S(PROTO_S7COMM, DIR_C2S, 12, "\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x07\x00\xc1\x02\x01\x00\xc2"),
	S(PROTO_S7COMM, DIR_S2C, 12, "\x03\x00\x00\x16\x11\xd0\x00\x07\x00\x03\x00\xc0\x01\x0a\xc1\x02"),
	S(PROTO_SLMP, DIR_C2S, 9, "\x50\x00\x00\xff\xff\x03\x00\x0c\x00\x10\x00\x01\x04\x00\x00"),
	S(PROTO_SLMP, DIR_S2C, 9, "\xd0\x00\x00\xff\xff\x03\x00\x04\x00\x00\x00\x34\x12"),
	S(PROTO_SLMP, DIR_C2S, 13, "\x54\x00\x34\x12\x00\x00\x00\xff\xff\x03\x00\x0c\x00\x10\x00\x01\x04"),
	S(PROTO_SLMP, DIR_S2C, 13, "\xd4\x00\x34\x12\x00\x00\x00\xff\xff\x03\x00\x02\x00\x00\x00"),
	S(PROTO_SLMP, DIR_C2S, 16, "500000FF03FF00001800100401"),
	S(PROTO_SLMP, DIR_S2C, 16, "D00000FF03FF0000080000"),
	S(PROTO_SLMP, DIR_C2S, 16, "54001234000000FF03FF00001800100401"),
	S(PROTO_SLMP, DIR_S2C, 16, "D4001234000000FF03FF0000080000"),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct bytes head(const struct sample *s, size_t n)
{
	return bytes_of(s->bytes, n < RECOGNISE_MAX ? n : RECOGNISE_MAX);
}

/* Every prefix says "more" until it is enough, and never anything else afterwards. */
static void prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		const struct sample *s = &good[i];

		for (size_t n = 0; n <= s->n; n++) {
			enum recognition r = recognise(s->protocol, s->dir, head(s, n));
			enum recognition want = n >= s->needed ? RECOGNISED : RECOGNISE_MORE;

			if (r != want)
				fail_msg("sample %zu, %zu bytes: %d", i, n, (int)r);
		}
		assert_int_equal(recognise_any(s->dir, head(s, s->n)), s->protocol);
	}
}

/* No sample is taken for another protocol of its direction. */
static void no_other_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		for (unsigned p = 1; p < PROTO_COUNT; p++)
			if (p != good[i].protocol && !(p == PROTO_S7COMM_PLUS && good[i].protocol == PROTO_S7COMM))
				assert_int_not_equal(
					recognise((enum protocol)p, good[i].dir, head(&good[i], good[i].n)),
					RECOGNISED);
}

/* Each of the deciding bytes counts: with a wrong one (any of the 255 others that the format forbids) it is something
 * else. Here: the first byte, which no protocol leaves free but Modbus and DNS. */
static void first_byte_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		uint8_t b[RECOGNISE_MAX];

		if (good[i].protocol == PROTO_MODBUS || good[i].protocol == PROTO_DNS)
			continue;
		memcpy(b, good[i].bytes, head(&good[i], good[i].n).left);
		b[0] ^= 0x40;
		assert_int_not_equal(
			recognise(good[i].protocol, good[i].dir, bytes_of(b, head(&good[i], good[i].n).left)),
			RECOGNISED);
	}
}

static void lies(void **state)
{
	static const struct sample bad[] = {
		S(PROTO_TLS, DIR_C2S, 0, "\x16\x03\x01\x00\x00\x01\x00\x01\xfc\x03\x03"), /* empty record */
		S(PROTO_TLS, DIR_C2S, 0, "\x16\x03\x01\x50\x00\x01\x00\x01\xfc\x03\x03"), /* record above 16 kB */
		S(PROTO_TLS, DIR_C2S, 0, "\x16\x03\x01\x02\x00\x02\x00\x01\xfc\x03\x03"), /* a server's hello */
		S(PROTO_TLS, DIR_C2S, 0, "\x17\x03\x03\x02\x00\x01\x00\x01\xfc\x03\x03"), /* data first */
		S(PROTO_TLS, DIR_C2S, 0, "\x15\x03\x03\x00\x02\x02\x28"),		  /* a client's alert */
		S(PROTO_TLS, DIR_C2S, 0, "\x16\x02\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		S(PROTO_SSH, DIR_C2S, 0, "SSH-1.5-old\r\n"),
		S(PROTO_HTTP, DIR_C2S, 0, "OPTIONS sip:a@b SIP/2.0\r\n"),
		S(PROTO_HTTP, DIR_C2S, 0, "get / HTTP/1.1\r\n"),
		S(PROTO_HTTP, DIR_C2S, 0, "GETS / HTTP/1.1\r\n"),
		S(PROTO_HTTP, DIR_S2C, 0, "ICY 200 OK\r\n"),
		S(PROTO_POSTGRESQL, DIR_C2S, 0, "\x00\x00\x00\x09\x04\xd2\x16\x2f\x00"),
		S(PROTO_POSTGRESQL, DIR_C2S, 0, "\x00\x00\x00\x07\x04\xd2\x16\x2f"),
		S(PROTO_POSTGRESQL, DIR_C2S, 0, "\x00\x00\x00\x08\x00\x03\x00\x00"),
		S(PROTO_POSTGRESQL, DIR_C2S, 0, "\x00\x00\x00\x54\x00\x02\x00\x00user"),
		S(PROTO_POSTGRESQL, DIR_S2C, 0, "Sx"),
		S(PROTO_MODBUS, DIR_C2S, 0, "\x00\x01\x00\x01\x00\x06\x01\x03"),
		S(PROTO_MODBUS, DIR_C2S, 0, "\x00\x01\x00\x00\x01\x06\x01\x03"),
		S(PROTO_MODBUS, DIR_C2S, 0, "\x00\x01\x00\x00\x00\x01\x01\x03"),
		S(PROTO_MODBUS, DIR_C2S, 0, "\x00\x01\x00\x00\x00\x06\x01\x83"),
		S(PROTO_S7COMM, DIR_C2S, 0, "\x03\x00\x00\x16\x11\xe0\x00\x01"), /* an answered request */
		S(PROTO_S7COMM, DIR_C2S, 0, "\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x07\x40\xc1"), /* class 4 */
		S(PROTO_S7COMM, DIR_C2S, 0,
		  "\x03\x00\x00\x2b\x26\xe0\x00\x00\x00\x00\x00"
		  "Cookie"),							 /* RDP */
		S(PROTO_S7COMM, DIR_S2C, 0, "\x03\x00\x00\x16\x11\xe0\x00\x00"), /* a request */
		S(PROTO_SLMP, DIR_C2S, 0, "\x50\x01\x00\xff\xff\x03\x00\x0c\x00"),
		S(PROTO_SLMP, DIR_C2S, 0, "\x50\x00\x00\xff\xff\x03\x00\x0c\x11"),
		S(PROTO_SLMP, DIR_C2S, 0, "\x51\x00\x00\xff\xff\x03\x00\x0c\x00"),
		S(PROTO_SLMP, DIR_C2S, 0, "\x54\x00\x34\x12\x00\x01\x00\xff\xff\x03\x00\x0c\x00"),
		S(PROTO_SLMP, DIR_C2S, 0, "\xd0\x00\x00\xff\xff\x03\x00\x0c\x00"),
		S(PROTO_SLMP, DIR_S2C, 0, "\x50\x00\x00\xff\xff\x03\x00\x0c\x00"),
		S(PROTO_SLMP, DIR_C2S, 0, "500000FF03FFXX00"),
		S(PROTO_SLMP, DIR_C2S, 0, "500000ff03ff0000"),
		S(PROTO_SLMP, DIR_C2S, 0, "68000000000000ff"),
		S(PROTO_DNS, DIR_C2S, 0, "\x00\x10\x12\x34\x01\x00\x00\x01"), /* shorter than any question */
		S(PROTO_DNS, DIR_C2S, 0, "\x00\x1d\x12\x34\x81\x00\x00\x01"), /* an answer */
		S(PROTO_DNS, DIR_C2S, 0, "\x00\x1d\x12\x34\x29\x00\x00\x01"), /* an update */
		S(PROTO_DNS, DIR_C2S, 0, "\x00\x1d\x12\x34\x01\x00\x00\x02"),
		S(PROTO_DNS, DIR_C2S, 0, "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x01"),
		S(PROTO_DNS, DIR_S2C, 0, "\x00\x1d\x12\x34\x81\x80\x00\x01\x00\x01"), /* nDPI's alone */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (recognise(bad[i].protocol, bad[i].dir, head(&bad[i], bad[i].n)) != RECOGNISE_NOT)
			fail_msg("lie %zu was believed", i);
}

/* Servers differ about where such a header's lines end. */
static void ambiguous_headers(void **state)
{
	static const char plain[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n\0\n body of its own";

	(void)state;
	static const struct {
		enum head_step step;
		const char *text;
		size_t n;
	} cases[] = {
		{ HEAD_WHOLE, plain, sizeof(plain) },
		{ HEAD_GOES_ON, "GET / HTTP/1.1\r\nHost: a\r\n", 25 },
		{ HEAD_AMBIGUOUS, "GET / HTTP/1.1\nHost: a\r\n\r\n", 26 },
		{ HEAD_AMBIGUOUS, "GET / HTTP/1.1\r\nA: \0\r\n\r\n", 24 },
		{ HEAD_AMBIGUOUS, "GET / HTTP/1.1\r\nA: b\n\n", 22 },
		{ HEAD_AMBIGUOUS, "GET / HTTP/1.1\r\nA: b\r\n\r\r\n", 26 },
		{ HEAD_AMBIGUOUS, "GET / HTTP/1.1\r\nA: b\rC: d\r\n", 27 },
	};
	static char line[1000];
	struct head h;

	/* However it comes in pieces. */
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t cut = 0; cut <= cases[i].n; cut++) {
			enum head_step s;

			h = (struct head){ .n = 0 };
			s = recognise_head(PROTO_HTTP, &h, bytes_of(cases[i].text, cut));
			if (s != HEAD_AMBIGUOUS)
				s = recognise_head(PROTO_HTTP, &h, bytes_of(cases[i].text + cut, cases[i].n - cut));
			if (s != cases[i].step)
				fail_msg("case %zu, cut at %zu: %d", i, cut, (int)s);
		}
	h = (struct head){ .n = 0 };
	assert_int_equal(recognise_head(PROTO_TLS, &h, bytes_of("\0\n", 2)), HEAD_WHOLE);
	memset(line, 'a', sizeof(line));
	h = (struct head){ .n = 0 };
	for (unsigned n = 0; n < HEAD_MAX / sizeof(line); n++)
		assert_int_equal(recognise_head(PROTO_HTTP, &h, bytes_of(line, sizeof(line))), HEAD_GOES_ON);
	assert_int_equal(recognise_head(PROTO_HTTP, &h, bytes_of(line, sizeof(line))), HEAD_AMBIGUOUS);
}

static void single_answer_byte_of_postgresql(void **state)
{
	(void)state;
	assert_int_equal(recognise(PROTO_POSTGRESQL, DIR_S2C, bytes_of("S", 1)), RECOGNISED);
	assert_int_equal(recognise(PROTO_POSTGRESQL, DIR_S2C, bytes_of("N", 1)), RECOGNISED);
	assert_int_equal(recognise(PROTO_POSTGRESQL, DIR_S2C, bytes_of("X", 1)), RECOGNISE_NOT);
	/* It is an answer to a question, not a signature. */
	assert_int_equal(recognise_any(DIR_S2C, bytes_of("S", 1)), PROTO_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes),	      cmocka_unit_test(no_other_name),
		cmocka_unit_test(first_byte_decides), cmocka_unit_test(lies),
		cmocka_unit_test(ambiguous_headers),  cmocka_unit_test(single_answer_byte_of_postgresql),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
