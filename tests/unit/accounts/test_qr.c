/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text as a QR code: for every length a square of the promised size with its three finder
 * patterns; none for a text that is too long. tests/netns/accounts reads the contents back.
 * LINK: appliance/accounts/qr.c appliance/base/json.c appliance/base/addr.c appliance/base/utf8.c
 * LINK: appliance/base/clock.c appliance/base/memfd.c appliance/base/err.c appliance/base/sha256.c
 * LINK: appliance/base/errno_text.c appliance/base/messages.c
 * LIBS: libqrencode jansson nettle
 */
#include "appliance/accounts/qr.h"
#include "tests/unit/cmocka.h"

#include <string.h>

static void finder(const json_t *rows, size_t x, size_t y)
{
	static const char *const looks[] = {
		"1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"
	};

	for (size_t i = 0; i < 7; i++)
		assert_memory_equal(json_string_value(json_array_get(rows, y + i)) + x, looks[i], 7);
}

static void a_square_for_every_length(void **state)
{
	char text[QR_TEXT + 2] = "";

	(void)state;
	assert_null(qr_rows(text));
	for (size_t n = 1; n <= QR_TEXT; n++) {
		json_t *rows;
		size_t side;

		text[n - 1] = (char)('a' + n % 26);
		rows = qr_rows(text);
		side = json_array_size(rows);
		assert_true(side >= 21 && side <= 57);
		for (size_t y = 0; y < side; y++) {
			const char *row = json_string_value(json_array_get(rows, y));

			assert_int_equal(strlen(row), side);
			assert_int_equal(strspn(row, "01"), side);
		}
		finder(rows, 0, 0);
		finder(rows, side - 7, 0);
		finder(rows, 0, side - 7);
		json_decref(rows);
	}
	text[QR_TEXT] = 'x';
	assert_null(qr_rows(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_square_for_every_length) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
