/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/base/bytes.c
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/bytes.h"

static void getters_move_only_on_success(void **state)
{
	static const uint8_t raw[] = { 1, 2, 3, 4, 5, 6, 7 };
	struct bytes b = bytes_of(raw, sizeof(raw));
	uint32_t v32;
	uint16_t v16;
	uint8_t v8;

	(void)state;
	assert_true(bytes_be16(&b, &v16));
	assert_int_equal(v16, 0x0102);
	assert_true(bytes_be32(&b, &v32));
	assert_int_equal(v32, 0x03040506);
	assert_int_equal(b.left, 1);
	assert_false(bytes_be16(&b, &v16));
	assert_int_equal(v16, 0);
	/* The failure stays, although one byte is there. */
	assert_false(bytes_u8(&b, &v8));
	assert_int_equal(v8, 0);
	assert_int_equal(b.left, 1);
	assert_false(bytes_done(&b));
}

static void orders_of_bytes(void **state)
{
	static const uint8_t raw[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct bytes b = bytes_of(raw, sizeof(raw));
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	(void)state;
	assert_true(bytes_be64(&b, &v64));
	assert_true(v64 == 0x0102030405060708u);
	assert_true(bytes_done(&b));
	b = bytes_of(raw, sizeof(raw));
	assert_true(bytes_le16(&b, &v16));
	assert_int_equal(v16, 0x0201);
	assert_true(bytes_le32(&b, &v32));
	assert_int_equal(v32, 0x06050403);
	assert_false(bytes_le32(&b, &v32));
	assert_int_equal(v32, 0);
}

static void views_keep_to_their_bounds(void **state)
{
	static const uint8_t raw[] = { 1, 2, 3, 4 };
	struct bytes b = bytes_of(raw, sizeof(raw)), part;
	uint8_t out[4] = { 9, 9, 9, 9 }, v;

	(void)state;
	assert_true(bytes_take(&b, 2, &part));
	assert_int_equal(part.left, 2);
	assert_int_equal(b.left, 2);
	assert_true(bytes_skip(&part, 2));
	assert_false(bytes_u8(&part, &v));
	assert_false(b.failed);
	assert_true(bytes_starts(&b, "\3\4", 2));
	assert_false(bytes_starts(&b, "\3\4\5", 3));
	assert_false(bytes_copy(&b, out, 3));
	assert_int_equal(out[0], 0); /* a failed copy leaves nothing old behind */
	assert_false(bytes_take(&b, 0, &part));
	assert_true(part.failed);
	b = bytes_of(raw, sizeof(raw));
	assert_false(bytes_skip(&b, SIZE_MAX));
	b = bytes_of(NULL, 0);
	assert_true(bytes_done(&b));
	assert_true(bytes_copy(&b, out, 0));
}

static void writer_overflows_stickily(void **state)
{
	uint8_t room[7];
	struct outbuf o = outbuf_of(room, sizeof(room));

	(void)state;
	out_be32(&o, 0x01020304);
	out_be16(&o, 0x0506);
	assert_false(o.failed);
	out_be16(&o, 0x0708);
	assert_true(o.failed);
	out_u8(&o, 9); /* fits, but comes after a failure */
	assert_int_equal(o.len, 6);
	assert_memory_equal(room, "\1\2\3\4\5\6", 6);
}

/* Every reader at every length, in copies of exactly that size, so that a sanitizer sees a read
 * beyond. */
static void short_input_is_refused_everywhere(void **state)
{
	(void)state;
	for (size_t n = 0; n < 8; n++) {
		uint8_t *raw = calloc(n + 1, 1);
		struct bytes b = bytes_of(raw, n);
		uint64_t v64;
		uint32_t v32;
		uint16_t v16;
		uint8_t v8;

		assert_false(bytes_be64(&b, &v64));
		b = bytes_of(raw, n);
		assert_int_equal(bytes_be32(&b, &v32), n >= 4);
		b = bytes_of(raw, n);
		assert_int_equal(bytes_be16(&b, &v16), n >= 2);
		b = bytes_of(raw, n);
		assert_int_equal(bytes_u8(&b, &v8), n >= 1);
		free(raw);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(getters_move_only_on_success),	     cmocka_unit_test(orders_of_bytes),
		cmocka_unit_test(views_keep_to_their_bounds),	     cmocka_unit_test(writer_overflows_stickily),
		cmocka_unit_test(short_input_is_refused_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
