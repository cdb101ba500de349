/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/seal/file.h"

#include <stdio.h>

#include "appliance/base/sha256.h"

#define PRODUCT "sekisho-backup "
#define FORM_DIGITS 6u

void backup_line(unsigned form, struct bytes body, char out[BACKUP_LINE + 1])
{
	uint8_t digest[32];
	char hex[65];

	sha256(body.p, body.left, digest);
	hex_text(digest, sizeof(digest), hex);
	snprintf(out, BACKUP_LINE + 1, PRODUCT "%u %s\n", form, hex);
}

/* Reads digits up to a space; 0 = invalid. */
static uint32_t form_read(struct bytes *b)
{
	uint32_t form = 0;
	uint8_t digit;

	for (unsigned n = 0; n <= FORM_DIGITS && bytes_u8(b, &digit); n++) {
		if (digit == ' ')
			return form;
		if (digit < '0' || digit > '9' || (n == 0 && digit == '0'))
			return 0;
		form = form * 10 + (uint32_t)(digit - '0');
	}
	return 0;
}

enum backup_kind backup_read(struct bytes file, struct bytes *ret_message, struct bytes *ret_keys)
{
	char line[BACKUP_LINE + 1];
	struct bytes rest = file;
	uint32_t form, first;

	if (!bytes_starts(&file, PRODUCT, sizeof(PRODUCT) - 1))
		return BACKUP_FOREIGN;
	bytes_skip(&rest, sizeof(PRODUCT) - 1);
	form = form_read(&rest);
	if (form == 0)
		return BACKUP_DAMAGED;
	if (form > BACKUP_FORM_WHOLE)
		return BACKUP_NEWER;
	rest = file;
	if (!bytes_skip(&rest, BACKUP_LINE))
		return BACKUP_DAMAGED;
	backup_line(form, rest, line);
	if (!bytes_starts(&file, line, BACKUP_LINE))
		return BACKUP_DAMAGED;
	*ret_keys = bytes_of(rest.p, 0);
	if (form == BACKUP_FORM) {
		*ret_message = rest;
		return BACKUP_WHOLE;
	}
	if (!bytes_be32(&rest, &first) || !bytes_take(&rest, first, ret_message) || rest.left == 0)
		return BACKUP_DAMAGED;
	*ret_keys = rest;
	return BACKUP_WHOLE;
}
