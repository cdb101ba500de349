/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only one form of an answer from an update server is accepted.
 *
 * LINK: appliance/fetch/head.c appliance/base/bytes.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/fetch/fetch.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define LENGTH "Content-Length: 12\r\n"

static void taken(void **state)
{
	static const struct {
		const char *head;
		uint64_t length;
	} t[] = {
		{ OK LENGTH "\r\n", 12 },
		{ "HTTP/1.0 200\r\n" LENGTH "\r\n", 12 },
		{ "HTTP/1.1 200 \r\ncontent-length:0\r\n\r\n", 0 },
		{ OK "Server: nginx\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nCONTENT-LENGTH: \t 999999999999999 "
		     "\r\nX:\r\n\r\n",
		  999999999999999 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		size_t n = strlen(t[i].head), n_head;
		uint64_t length;
		char more[512];

		/* Not accepted before it is complete, and the bytes behind it are not read. */
		for (size_t cut = 0; cut < n; cut++)
			assert_int_equal(fetch_head(bytes_of(t[i].head, cut), &n_head, &length), FETCH_MORE);
		snprintf(more, sizeof(more), "%sContent-Length: 7\r\n\r\n", t[i].head);
		assert_int_equal(fetch_head(bytes_of(more, strlen(more)), &n_head, &length), FETCH_DONE);
		assert_int_equal(n_head, n);
		assert_int_equal(length, t[i].length);
	}
}

static void not_taken(void **state)
{
	static const struct {
		const char *head;
		enum fetch_end end;
	} t[] = {
		{ "HTTP/1.1 404 Not Found\r\n" LENGTH "\r\n", FETCH_ABSENT },
		{ "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\n" LENGTH "\r\n", FETCH_ELSEWHERE },
		{ "HTTP/1.1 304 Not Modified\r\n\r\n", FETCH_ELSEWHERE },
		{ "HTTP/1.1 206 Partial\r\n" LENGTH "\r\n", FETCH_ANSWER },
		{ "HTTP/1.1 100 Continue\r\n\r\n", FETCH_ANSWER },
		{ "HTTP/1.1 500 No\r\n" LENGTH "\r\n", FETCH_ANSWER },
		{ "HTTP/1.1 2000\r\n" LENGTH "\r\n", FETCH_ANSWER },
		{ "HTTP/1.1 20\r\n" LENGTH "\r\n", FETCH_ANSWER },
		{ "HTTP/2.0 200 OK\r\n" LENGTH "\r\n", FETCH_ANSWER },
		{ "HTTP/1.2 200 OK\r\n" LENGTH "\r\n", FETCH_ANSWER },
		{ "SSH-2.0-x\r\n\r\n", FETCH_ANSWER },
		{ "\r\n\r\n", FETCH_ANSWER },
		{ OK "\r\n", FETCH_ANSWER },
		{ OK LENGTH LENGTH "\r\n", FETCH_ANSWER },
		{ OK LENGTH "Content-Length: 13\r\n\r\n", FETCH_ANSWER },
		{ OK LENGTH "Transfer-Encoding: chunked\r\n\r\n", FETCH_ANSWER },
		{ OK LENGTH "Content-Encoding: gzip\r\n\r\n", FETCH_ANSWER },
		{ OK LENGTH "Content-Range: bytes 0-11/12\r\n\r\n", FETCH_ANSWER },
		{ OK "Content-Length: -1\r\n\r\n", FETCH_ANSWER },
		{ OK "Content-Length: +1\r\n\r\n", FETCH_ANSWER },
		{ OK "Content-Length: 0x10\r\n\r\n", FETCH_ANSWER },
		{ OK "Content-Length: 1,2\r\n\r\n", FETCH_ANSWER },
		{ OK "Content-Length: 1 2\r\n\r\n", FETCH_ANSWER },
		{ OK "Content-Length:\r\n\r\n", FETCH_ANSWER },
		{ OK "Content-Length: 1000000000000000\r\n\r\n", FETCH_ANSWER },
		{ OK "Content-Length: 18446744073709551628\r\n\r\n", FETCH_ANSWER },
		{ OK "Content-Length : 12\r\n\r\n", FETCH_ANSWER },
		{ OK " " LENGTH "\r\n", FETCH_ANSWER },
		{ OK LENGTH "X: 1\r\n and more\r\n\r\n", FETCH_ANSWER },
		{ OK LENGTH "nothing\r\n\r\n", FETCH_ANSWER },
		{ OK LENGTH ": 1\r\n\r\n", FETCH_ANSWER },
		{ OK LENGTH "X: 1\nContent-Length: 99\r\n\r\n", FETCH_ANSWER },
		{ OK LENGTH "X: \x1b[2J\r\n\r\n", FETCH_ANSWER },
	};
	static const char zero[] = OK LENGTH "X: \0\r\n\r\n";
	uint64_t length;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(fetch_head(bytes_of(t[i].head, strlen(t[i].head)), &n, &length), t[i].end);
	assert_int_equal(fetch_head(bytes_of(zero, sizeof(zero) - 1), &n, &length), FETCH_ANSWER);
}

static void longest(void **state)
{
	static char text[FETCH_HEAD_MOST + 16];
	int at = snprintf(text, sizeof(text), OK LENGTH "X: ");
	uint64_t length;
	size_t n;

	(void)state;
	memset(text + at, 'x', sizeof(text) - (size_t)at);
	assert_int_equal(fetch_head(bytes_of(text, FETCH_HEAD_MOST - 1), &n, &length), FETCH_MORE);
	assert_int_equal(fetch_head(bytes_of(text, FETCH_HEAD_MOST), &n, &length), FETCH_ANSWER);
	memcpy(text + FETCH_HEAD_MOST - 4, "\r\n\r\n", 4);
	assert_int_equal(fetch_head(bytes_of(text, FETCH_HEAD_MOST), &n, &length), FETCH_DONE);
	memset(text + FETCH_HEAD_MOST - 4, 'x', 5);
	memcpy(text + FETCH_HEAD_MOST - 3, "\r\n\r\n", 4);
	assert_int_equal(fetch_head(bytes_of(text, FETCH_HEAD_MOST + 1), &n, &length), FETCH_ANSWER);
}

/* Only the first line counts. Every answer that does not say that the file is stored means that it
 * is not. */
static void stored(void **state)
{
	static const struct {
		const char *head;
		enum fetch_end end;
	} t[] = {
		{ "HTTP/1.1 201 Created\r\n", FETCH_DONE },
		{ "HTTP/1.0 204\r\nX", FETCH_DONE },
		{ OK "nothing of this matters", FETCH_DONE },
		{ "HTTP/1.1 202 Later\r\n", FETCH_ANSWER },
		{ "HTTP/1.1 100 Continue\r\n\r\n", FETCH_ANSWER },
		{ "HTTP/1.1 207 Multi\r\n", FETCH_ANSWER },
		{ "HTTP/1.1 302 There\r\n", FETCH_ELSEWHERE },
		{ "HTTP/1.1 401 Who\r\n", FETCH_DENIED },
		{ "HTTP/1.1 403 No\r\n", FETCH_DENIED },
		{ "HTTP/1.1 404 None\r\n", FETCH_ABSENT },
		{ "HTTP/1.1 409 Conflict\r\n", FETCH_ABSENT },
		{ "HTTP/1.1 413 Large\r\n", FETCH_FULL },
		{ "HTTP/1.1 507 Full\r\n", FETCH_FULL },
		{ "HTTP/1.1 500 No\r\n", FETCH_ANSWER },
		{ "HTTP/1.1 2010\r\n", FETCH_ANSWER },
		{ "HTTP/2.0 201 x\r\n", FETCH_ANSWER },
		{ "HTTP/1.1 201 \x1b[2J\r\n", FETCH_ANSWER },
		{ "\r\n", FETCH_ANSWER },
	};
	static char text[FETCH_HEAD_MOST + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		size_t line = (size_t)(strstr(t[i].head, "\r\n") - t[i].head) + 2;

		for (size_t cut = 0; cut < line; cut++)
			assert_int_equal(fetch_stored(bytes_of(t[i].head, cut)), FETCH_MORE);
		assert_int_equal(fetch_stored(bytes_of(t[i].head, strlen(t[i].head))), t[i].end);
	}
	memset(text, 'x', sizeof(text));
	assert_int_equal(fetch_stored(bytes_of(text, FETCH_HEAD_MOST - 1)), FETCH_MORE);
	assert_int_equal(fetch_stored(bytes_of(text, FETCH_HEAD_MOST)), FETCH_ANSWER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken),
		cmocka_unit_test(not_taken),
		cmocka_unit_test(longest),
		cmocka_unit_test(stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
