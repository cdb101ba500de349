/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two hellos say, however they are cut, and that nothing else is taken for a hello.
 *
 * LINK: dpi/hello.c appliance/base/bytes.c appliance/wire/tls.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "appliance/wire/tls.h"
#include "dpi/hello.h"
#include "tests/unit/dpi/exact.h"
#include "tests/unit/dpi/hellos.h"

/* Reads the hello in pieces of at most `piece` bytes, each in memory of exactly its size. */
static enum hello_state take(struct hello *h, enum direction dir, const uint8_t *p, size_t n, size_t piece)
{
	enum hello_state s = HELLO_GOES_ON;

	for (size_t at = 0; at < n; at += piece) {
		size_t m = n - at < piece ? n - at : piece;
		uint8_t *copy = malloc(m);

		memcpy(copy, p + at, m);
		s = hello_take(h, dir, bytes_of(copy, m));
		free(copy);
	}
	return s;
}

/* The same hello, divided into records of at most `each` bytes. */
static size_t in_records(uint8_t *out, const uint8_t *hello, size_t n, size_t each)
{
	size_t len = 0;

	for (size_t at = 5; at < n; at += each) {
		size_t m = n - at < each ? n - at : each;

		memcpy(out + len, hello, 3);
		out[len + 3] = (uint8_t)(m >> 8);
		out[len + 4] = (uint8_t)m;
		memcpy(out + len + 5, hello + at, m);
		len += m + 5;
	}
	return len;
}

static void client_in_all_pieces(void **state)
{
	uint8_t hello[HELLO_ROOM], cut[8 * HELLO_ROOM];
	size_t n = client_hello(hello);

	(void)state;
	for (size_t each = 1; each <= n - 5; each++) {
		size_t len = in_records(cut, hello, n, each);

		for (size_t piece = 1; piece <= 12; piece++) {
			struct hello h = { 0 };

			assert_int_equal(take(&h, DIR_C2S, cut, len, piece == 12 ? len : piece), HELLO_READ);
			assert_int_equal(h.offered, TLS_1_3);
			assert_string_equal(h.name, "tos.example");
		}
	}
}

static void server_in_all_pieces(void **state)
{
	static const struct {
		uint16_t version, suite;
		bool bare;
	} choices[] = { { 0x0300, 0x0004, true },
			{ 0x0301, 0x000a, false },
			{ 0x0302, 0xc014, true },
			{ TLS_1_2, 0xc02f, false },
			{ TLS_1_3, 0x1302, false } };
	uint8_t hello[HELLO_ROOM], cut[8 * HELLO_ROOM];

	(void)state;
	for (size_t c = 0; c < sizeof(choices) / sizeof(choices[0]); c++) {
		size_t n = server_hello(hello, choices[c].version, choices[c].suite, choices[c].bare);

		for (size_t each = 1; each <= n - 5; each++) {
			size_t len = in_records(cut, hello, n, each);

			for (size_t piece = 1; piece <= 12; piece++) {
				struct hello h = { 0 };

				assert_int_equal(take(&h, DIR_S2C, cut, len, piece == 12 ? len : piece), HELLO_READ);
				assert_int_equal(h.version, choices[c].version);
				assert_int_equal(h.suite, choices[c].suite);
			}
		}
	}
}

/* An incomplete hello waits for the rest; bytes behind a hello are not read. */
static void half_of_one(void **state)
{
	uint8_t hello[HELLO_ROOM];
	size_t n = server_hello(hello, TLS_1_2, 0xc02f, false);

	(void)state;
	for (size_t some = 1; some < n; some++) {
		struct hello h = { 0 };

		assert_int_equal(take(&h, DIR_S2C, hello, some, some), HELLO_GOES_ON);
		assert_int_equal(take(&h, DIR_S2C, hello + some, n - some, 3), HELLO_READ);
		assert_int_equal(take(&h, DIR_S2C, (const uint8_t *)"GET / HTTP/1.0", 14, 14), HELLO_READ);
		assert_int_equal(h.suite, 0xc02f);
	}
}

/* One byte is changed: the result never claims more than the hello says, and no byte outside is
 * read (the memory has exactly the size of the hello). */
static void bytes_that_differ(void **state)
{
	uint8_t hello[HELLO_ROOM];

	(void)state;
	for (unsigned dir = 0; dir < 2; dir++) {
		size_t n = dir == DIR_C2S ? client_hello(hello) : server_hello(hello, TLS_1_3, 0x1301, false);

		for (size_t at = 0; at < n; at++) {
			uint8_t was = hello[at];

			for (unsigned b = 0; b < 256; b++) {
				struct hello whole = { 0 }, cut = { 0 };

				hello[at] = (uint8_t)b;
				assert_int_equal(take(&whole, (enum direction)dir, hello, n, n),
						 take(&cut, (enum direction)dir, hello, n, 1));
				assert_int_equal(whole.version, cut.version);
				assert_string_equal(whole.name, cut.name);
				assert_true(whole.name_len < HELLO_NAME && strlen(whole.name) == whole.name_len);
			}
			hello[at] = was;
		}
	}
}

static void lengths_that_lie(void **state)
{
	static const struct {
		size_t at;
		uint8_t is;
	} lies[] = { { 0, 23 }, { 1, 2 }, { 3, 0x50 }, { 5, 1 }, { 43, 33 }, { 80, 12 }, { 80, 4 }, { 84, 9 } };
	uint8_t hello[HELLO_ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct hello h = { 0 };
		size_t n = server_hello(hello, TLS_1_2, 0xc02f, false);

		hello[lies[i].at] = lies[i].is;
		assert_int_equal(take(&h, DIR_S2C, hello, n, n), HELLO_BAD);
		assert_int_equal(take(&h, DIR_S2C, hello, n, n), HELLO_BAD);
	}
}

/* Older clients do not know the extension supported_versions. They use the version field, in which
 * a server of TLS 1.3 writes 1.2. If both differ, the lower version counts. */
static void versions_that_contradict(void **state)
{
	uint8_t hello[HELLO_ROOM];

	(void)state;
	for (unsigned legacy = 0; legacy < 5; legacy++)
		for (uint16_t extension = 0x0300; extension < 0x0306; extension++) {
			struct hello h = { 0 };
			size_t n = server_hello(hello, 0x0304, 0x1301, false);

			hello[10] = (uint8_t)legacy;
			hello[n - 1] = (uint8_t)extension;
			assert_int_equal(take(&h, DIR_S2C, hello, n, 3), HELLO_READ);
			assert_int_equal(h.version,
					 legacy >= 3 || extension < 0x0300 + legacy ? extension : 0x0300 + legacy);
		}
}

static void alerts(void **state)
{
	static const uint8_t warning[] = { 21, 3, 1, 0, 2, 1, 112 }, fatal[] = { 21, 3, 1, 0, 2, 2, 40 };
	uint8_t hello[HELLO_ROOM];
	size_t n = server_hello(hello, TLS_1_2, 0xc02f, false);

	(void)state;
	for (size_t piece = 1; piece < 8; piece++) {
		struct hello h = { 0 }, declined = { 0 }, client = { 0 };

		assert_int_equal(take(&declined, DIR_S2C, fatal, 7, piece), HELLO_ALERT);
		assert_int_equal(take(&h, DIR_S2C, warning, 7, piece), HELLO_GOES_ON);
		assert_int_equal(take(&h, DIR_S2C, warning, 7, piece), HELLO_GOES_ON);
		assert_int_equal(take(&h, DIR_S2C, hello, n, piece), HELLO_READ);
		assert_int_equal(take(&client, DIR_C2S, fatal, 7, piece), HELLO_BAD);
	}
}

/* A hello without an end stops the reading, and so does a record without an end. */
static void without_an_end(void **state)
{
	static const uint8_t more[] = { 22, 3, 3, 0, 1, 0 };
	struct hello h = { 0 };
	uint8_t hello[HELLO_ROOM];
	size_t n = client_hello(hello), taken = n;

	(void)state;
	hello[6] = 0x10;
	hello[44] = 0xff; /* suites without an end */
	hello[45] = 0xfe;
	assert_int_equal(take(&h, DIR_C2S, hello, n, n), HELLO_GOES_ON);
	while (take(&h, DIR_C2S, more, sizeof(more), sizeof(more)) == HELLO_GOES_ON)
		taken += sizeof(more);
	assert_int_equal(h.side[DIR_C2S].state, HELLO_BAD);
	assert_in_range(taken, HELLO_BYTES_MAX - 16, HELLO_BYTES_MAX);
}

/* A name with characters that a host name cannot have is not kept, nor a name that is too long. */
static void names(void **state)
{
	uint8_t hello[HELLO_ROOM];
	size_t n = client_hello(hello), at = 54 + 9;

	(void)state;
	assert_memory_equal(hello + at, "tos.example", 11);
	for (unsigned c = 0; c < 256; c++) {
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
			    c == '-' || c == '_';
		struct hello h = { 0 };

		hello[at + 3] = (uint8_t)c;
		assert_int_equal(take(&h, DIR_C2S, hello, n, 5), HELLO_READ);
		assert_int_equal(h.name_len, good ? 11 : 0);
		assert_int_equal(h.offered, TLS_1_3);
	}
}

/* The result for a hello with these extensions, read in one piece and byte by byte. Until its last
 * byte the hello must count as incomplete. */
static enum hello_state extended(const uint8_t *extensions, size_t n_extensions, char name[HELLO_NAME])
{
	struct hello whole = { 0 }, cut = { 0 };
	uint8_t hello[HELLO_ROOM];
	size_t n = client_hello_with(hello, extensions, n_extensions);
	enum hello_state s = take(&whole, DIR_C2S, hello, n, n);

	assert_int_equal(take(&cut, DIR_C2S, hello, n, 1), s);
	assert_string_equal(whole.name, cut.name);
	for (size_t some = 1; some < n && s == HELLO_READ; some++) {
		struct hello h = { 0 };

		assert_int_equal(take(&h, DIR_C2S, hello, some, some), HELLO_GOES_ON);
		assert_int_equal(take(&h, DIR_C2S, hello + some, n - some, n), HELLO_READ);
		assert_string_equal(h.name, whole.name);
	}
	memcpy(name, whole.name, HELLO_NAME);
	return s;
}

/* A hello that only asks for this name. */
static enum hello_state asks(const char *text, size_t n, char name[HELLO_NAME])
{
	uint8_t extension[400];

	return extended(extension, hello_name_extension(extension, text, n), name);
}

static void names_of_hostile_clients(void **state)
{
	static const char *const kept[] = { "tos", "TOS.Example", "tos.example.", "192.0.2.1", "a..b", "-", "." };
	char name[HELLO_NAME], many[300];
	uint8_t two[800];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		assert_int_equal(asks(kept[i], strlen(kept[i]), name), HELLO_READ);
		assert_string_equal(name, kept[i]);
	}
	/* NUL, other letters, an address with colons, blanks: these are no host names, and the part
	 * in front of such a character is not taken as one. */
	assert_int_equal(asks("good.example\0.evil", 18, name), HELLO_READ);
	assert_string_equal(name, "");
	assert_int_equal(asks("\xe6\xb8\xaf.example", 11, name), HELLO_READ);
	assert_string_equal(name, "");
	assert_int_equal(asks("2001:db8::1", 11, name), HELLO_READ);
	assert_string_equal(name, "");
	assert_int_equal(asks("a b\033[2J", 7, name), HELLO_READ);
	assert_string_equal(name, "");
	/* A name of the maximum length, and one that is longer. */
	memset(many, 'a', sizeof(many));
	for (n = 120; n < 290; n++) {
		assert_int_equal(asks(many, n, name), HELLO_READ);
		assert_int_equal(strlen(name), n < HELLO_NAME ? n : 0);
	}
	/* No name: no extension, an empty extension, an empty list, an empty name, a name of
	 * another kind. */
	assert_int_equal(extended(NULL, 0, name), HELLO_READ);
	assert_string_equal(name, "");
	assert_int_equal(extended((const uint8_t *)"\0\0\0\0", 4, name), HELLO_READ);
	assert_string_equal(name, "");
	assert_int_equal(extended((const uint8_t *)"\0\0\0\2\0\0", 6, name), HELLO_BAD);
	assert_int_equal(extended((const uint8_t *)"\0\0\0\5\0\3\0\0\0", 9, name), HELLO_BAD);
	assert_int_equal(extended((const uint8_t *)"\0\0\0\6\0\4\1\0\1a", 10, name), HELLO_READ);
	assert_string_equal(name, "");
	/* Wrong lengths: of the extension, the list, the name. */
	for (unsigned at = 3; at <= 8; at += at == 3 ? 2 : 3)
		for (int by = -1; by <= 1; by += 2) {
			uint8_t extension[64];

			n = hello_name_extension(extension, "tos.example", 11);
			extension[at] = (uint8_t)(extension[at] + by);
			assert_int_equal(extended(extension, n, name), at == 8 && by < 0 ? HELLO_READ : HELLO_BAD);
		}
	/* Two names in one list, where only one is allowed. */
	n = hello_name_extension(two, "good.example", 12);
	memcpy(two + n, "\0\0\14evil.example", 15);
	two[3] = (uint8_t)(two[3] + 15);
	two[5] = (uint8_t)(two[5] + 15);
	assert_int_equal(extended(two, n + 15, name), HELLO_READ);
	assert_string_equal(name, "");
	/* The extension twice, whatever the first one was: one server reads the first, another
	 * server the second. */
	for (unsigned first = 0; first < 3; first++) {
		n = first == 0	 ? hello_name_extension(two, "good.example", 12)
		    : first == 1 ? hello_name_extension(two, "go:d.example", 12)
				 : (memset(two, 0, 4), 4u);
		n += hello_name_extension(two + n, "evil.example", 12);
		assert_int_equal(extended(two, n, name), HELLO_BAD);
	}
}

static uint32_t bit(enum tls_weakness w)
{
	return 1u << w;
}

static void weak_suites(void **state)
{
	char room[TLS_VERSION_TEXT];

	(void)state;
	assert_int_equal(tls_weak(TLS_1_3, 0x1301), 0);
	assert_int_equal(tls_weak(TLS_1_2, 0xc02f), 0);
	assert_int_equal(tls_weak(TLS_1_2, 0x009e), 0); /* DHE_RSA, AES-GCM */
	assert_int_equal(tls_weak(TLS_1_2, 0xcca8), 0);
	assert_int_equal(tls_weak(TLS_1_2, 0x009c), bit(TLS_WEAK_NO_FS));
	assert_int_equal(tls_weak(TLS_1_2, 0x000a), bit(TLS_WEAK_3DES) | bit(TLS_WEAK_NO_FS));
	assert_int_equal(tls_weak(0x0301, 0xc012), bit(TLS_WEAK_VERSION) | bit(TLS_WEAK_3DES));
	assert_int_equal(tls_weak(0x0300, 0x0004),
			 bit(TLS_WEAK_VERSION) | bit(TLS_WEAK_RC4) | bit(TLS_WEAK_MD5) | bit(TLS_WEAK_NO_FS));
	assert_int_equal(tls_weak(TLS_1_2, 0x0003),
			 bit(TLS_WEAK_EXPORT) | bit(TLS_WEAK_RC4) | bit(TLS_WEAK_MD5) | bit(TLS_WEAK_NO_FS));
	assert_int_equal(tls_weak(TLS_1_2, 0x0009), bit(TLS_WEAK_DES) | bit(TLS_WEAK_NO_FS));
	assert_int_equal(tls_weak(TLS_1_2, 0x003b), bit(TLS_WEAK_NULL) | bit(TLS_WEAK_NO_FS));
	/* ECDHE_RSA_WITH_NULL_SHA */
	assert_int_equal(tls_weak(TLS_1_2, 0xc010), bit(TLS_WEAK_NULL));
	assert_int_equal(tls_weak(TLS_1_2, 0xc018), bit(TLS_WEAK_ANON)); /* ECDH_anon, AES */
	assert_int_equal(tls_weak(TLS_1_3, 0xc0b4), bit(TLS_WEAK_NULL)); /* RFC 9150 */
	assert_int_equal(tls_weak(TLS_1_2, 0xfffe), 0);
	assert_true(tls_weak_is_lesser(bit(TLS_WEAK_NO_FS)));
	assert_false(tls_weak_is_lesser(bit(TLS_WEAK_NO_FS) | bit(TLS_WEAK_3DES)));
	assert_false(tls_weak_is_lesser(0));
	assert_string_equal(tls_suite_name(0x000a), "TLS_RSA_WITH_3DES_EDE_CBC_SHA");
	assert_null(tls_suite_name(0xfffe));
	assert_string_equal(tls_version_name(0x0300, room), "SSL 3.0");
	assert_string_equal(tls_version_name(0x7f1c, room), "0x7f1c");
	for (unsigned w = 0; w < TLS_WEAKNESS_COUNT; w++)
		assert_int_equal(tls_weakness_by_word(tls_weakness_word((enum tls_weakness)w)), w);
	assert_int_equal(tls_weakness_by_word("strong"), TLS_WEAKNESS_COUNT);
	/* The table of cipher suites must be sorted, because it is searched by bisection. */
	for (uint32_t suite = 0, before = 0; suite < 0x10000; suite++)
		if (tls_suite_name((uint16_t)suite) != NULL) {
			assert_true(suite == 0 || suite > before);
			before = suite;
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_in_all_pieces),
		cmocka_unit_test(server_in_all_pieces),
		cmocka_unit_test(half_of_one),
		cmocka_unit_test(bytes_that_differ),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(versions_that_contradict),
		cmocka_unit_test(alerts),
		cmocka_unit_test(without_an_end),
		cmocka_unit_test(names),
		cmocka_unit_test(names_of_hostile_clients),
		cmocka_unit_test(weak_suites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
