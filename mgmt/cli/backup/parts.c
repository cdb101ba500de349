/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle of a whole backup. Pure; its bytes are hostile. */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/bundle.h"
#include "mgmt/cli/backup/backup.h"

#define PART_MOST (64u << 10)

/* What a whole backup contains. It does not contain the key that signs records (a new box begins a
 * new chain), generations (the box compiles its own), backup.pem (the root of each box chooses it),
 * and the console's passphrase (whoever restores has just chosen one, and an old one could shut him
 * out). */
const struct whole_row whole_rows[WHOLE_PARTS] = {
	[WHOLE_ACCOUNTS] = { "accounts", WHOLE_IN_ACCOUNTS, true, WHOLE_REGISTER_MOST, 0600 },
	[WHOLE_KEY] = { "key.pem", WHOLE_IN_SECRETS, true, PART_MOST, 0600 },
	[WHOLE_CERTIFICATE] = { "certificate.pem", WHOLE_IN_SECRETS, true, PART_MOST, 0600 },
	{ "token", WHOLE_IN_SECRETS, false, 80, 0600 },
	{ "log-key.pem", WHOLE_IN_SETTINGS, false, PART_MOST, 0600 },
	{ "log-certificate.pem", WHOLE_IN_SETTINGS, false, PART_MOST, 0644 },
	{ "log-ca.pem", WHOLE_IN_SETTINGS, false, PART_MOST, 0644 },
	{ "update-ca.pem", WHOLE_IN_SETTINGS, false, PART_MOST, 0644 },
	{ "mail-ca.pem", WHOLE_IN_SETTINGS, false, PART_MOST, 0644 },
	{ "mail-password", WHOLE_IN_SETTINGS, false, PART_MOST, 0600 },
	{ "ups-password", WHOLE_IN_SETTINGS, false, PART_MOST, 0600 },
	{ "snmp-passphrases", WHOLE_IN_SETTINGS, false, PART_MOST, 0600 },
};

/* ---- the bundle ------------------------------------------------------------------------------ */

static unsigned row_of(struct bytes name)
{
	unsigned i = 0;

	while (i < WHOLE_PARTS &&
	       (strlen(whole_rows[i].name) != name.left || memcmp(whole_rows[i].name, name.p, name.left) != 0))
		i++;
	return i;
}

bool whole_read(struct whole *w)
{
	struct bytes b = bytes_of(w->memory, w->n), name, text;
	uint32_t n;

	memset(w->parts, 0, sizeof(w->parts));
	if (w->n > WHOLE_MOST || !bundle_head(&b, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		unsigned row = bundle_next(&b, &name, &text) ? row_of(name) : WHOLE_PARTS;

		if (row == WHOLE_PARTS || w->parts[row].left > 0 || text.left == 0 || text.left > whole_rows[row].most)
			return false;
		w->parts[row] = text;
	}
	for (unsigned i = 0; i < WHOLE_PARTS; i++)
		if (whole_rows[i].compulsory && w->parts[i].left == 0)
			return false;
	return b.left == 0;
}

void whole_free(struct whole *w)
{
	if (w->memory != NULL)
		explicit_bzero(w->memory, w->n);
	free(w->memory);
	*w = (struct whole){ 0 };
}

bool whole_bundle(const struct bytes parts[WHOLE_PARTS], struct whole *ret)
{
	struct source_text list[WHOLE_PARTS];
	size_t n = 0;

	*ret = (struct whole){ 0 };
	for (unsigned i = 0; i < WHOLE_PARTS; i++)
		if (parts[i].left > 0)
			list[n++] = (struct source_text){ .name = whole_rows[i].name,
							  .text = (const char *)parts[i].p,
							  .size = parts[i].left };
	ret->n = bundle_encode(list, n, NULL, 0);
	ret->memory = malloc(ret->n);
	if (ret->memory != NULL && bundle_encode(list, n, ret->memory, ret->n) == ret->n && whole_read(ret))
		return true;
	whole_free(ret);
	return false;
}
