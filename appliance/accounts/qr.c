/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/qr.h"

#include <qrencode.h>
#include <string.h>

/* modules a side: version 10, which holds 271 bytes at the weakest correction */
#define SIDE_MOST 57u

json_t *qr_rows(const char *text)
{
	size_t n = strnlen(text, QR_TEXT + 1), side;
	char row[SIDE_MOST + 1];
	QRcode *code;
	json_t *rows;

	if (n == 0 || n > QR_TEXT)
		return NULL;
	/* The code is read whole from a screen: the weakest correction gives the largest
	 * modules. */
	code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	if (code == NULL)
		return NULL;
	side = (size_t)code->width;
	rows = side <= SIDE_MOST ? json_array() : NULL;
	for (size_t y = 0; rows != NULL && y < side; y++) {
		for (size_t x = 0; x < side; x++)
			row[x] = (code->data[y * side + x] & 1) != 0 ? '1' : '0';
		row[side] = 0;
		json_array_append_new(rows, json_string(row));
	}
	explicit_bzero(row, sizeof(row));
	explicit_bzero(code->data, side * side);
	QRcode_free(code);
	return json_list_whole(rows, side);
}
