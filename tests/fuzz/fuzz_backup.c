/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginning of a backup's file up to its message, the renaming of cards in a text of it, and
 * the bundle of accounts and keys. (The rest is read by OpenSSL, jansson and the compiler.) A file
 * that is accepted has the digest that its line says. A text in which nothing is renamed is
 * unchanged, and renaming back gives the original text.
 * LINK: appliance/seal/file.c mgmt/cli/backup/rename.c appliance/base/sha256.c
 * LINK: appliance/base/bytes.c mgmt/cli/backup/parts.c appliance/base/bundle.c
 * LINK: appliance/base/utf8.c
 * LIBS: nettle jansson
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/seal/file.h"
#include "mgmt/cli/backup/backup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
	if (!good)
		abort();
}

static void line(struct bytes in)
{
	char text[BACKUP_LINE + 1];
	struct bytes body, keys;
	uint8_t *file;

	if (backup_read(in, &body, &keys) == BACKUP_WHOLE)
		require(body.left + keys.left + BACKUP_LINE + (keys.left > 0 ? 4 : 0) == in.left);
	/* The same bytes again, behind the right first line. */
	file = malloc(BACKUP_LINE + in.left);
	require(file != NULL);
	backup_line(BACKUP_FORM, in, text);
	memcpy(file, text, BACKUP_LINE);
	if (in.left > 0)
		memcpy(file + BACKUP_LINE, in.p, in.left);
	require(backup_read(bytes_of(file, BACKUP_LINE + in.left), &body, &keys) == BACKUP_WHOLE &&
		body.left == in.left);
	file[(in.left * 31) % (BACKUP_LINE + in.left)] ^= 4;
	require(backup_read(bytes_of(file, BACKUP_LINE + in.left), &body, &keys) != BACKUP_WHOLE);
	free(file);
}

static void names(struct bytes in)
{
	static struct card_places there = { .list = { { .was = "a", .is = "zz" } }, .n = 1 };
	static struct card_places back = { .list = { { .was = "zz", .is = "a" } }, .n = 1 };
	static struct card_places none = { .n = 0 };
	size_t n, m;
	char *same = cards_rename(&none, in, &n), *one, *two;

	require(same != NULL && n == in.left && (n == 0 || memcmp(same, in.p, n) == 0));
	free(same);
	if (in.left > 0 && memmem(in.p, in.left, "zz", 2) != NULL)
		return;
	one = cards_rename(&there, in, &n);
	require(one != NULL);
	two = cards_rename(&back, bytes_of(one, n), &m);
	require(two != NULL && m == in.left && (m == 0 || memcmp(two, in.p, m) == 0));
	free(one);
	free(two);
}

/* What is read has the compulsory parts, none too large, and is read again as it is written. */
static void parts(struct bytes in)
{
	struct whole w = { .memory = malloc(in.left + 1), .n = in.left }, again;

	require(w.memory != NULL);
	if (in.left > 0)
		memcpy(w.memory, in.p, in.left);
	if (whole_read(&w)) {
		for (unsigned i = 0; i < WHOLE_PARTS; i++)
			require(w.parts[i].left <= whole_rows[i].most &&
				(w.parts[i].left > 0 || !whole_rows[i].compulsory));
		require(whole_bundle(w.parts, &again) && again.n == w.n);
		whole_free(&again);
	}
	whole_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parts(bytes_of(data, size));
	line(bytes_of(data, size));
	names(bytes_of(data, size));
	return 0;
}
