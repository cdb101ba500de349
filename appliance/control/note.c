/* SPDX-License-Identifier: Apache-2.0 */
/* Short texts that outlive the daemon, each in a file of control's folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"
#include "appliance/control/note.h"
#include "appliance/role/roles.h"

#define FILE_MOST (NOTE_MOST + 72u)

/* The file has a digest, so that a damaged text is not taken for another one. */
static size_t text_of(const char *what, char out[FILE_MOST])
{
	uint8_t digest[32];
	char hex[65];

	sha256(what, strlen(what), digest);
	hex_text(digest, sizeof(digest), hex);
	return (size_t)snprintf(out, FILE_MOST, "%s %s\n", what, hex);
}

void note_keep(const char *name, const char *what)
{
	char text[FILE_MOST];
	struct err e = { 0 };
	size_t n = text_of(what, text);

	/* If the disk is full, the text is lost, and the count begins anew with the next start. */
	(void)atomic_write(CONTROL_FD_FOLDER, name, text, n, &e);
}

bool note_kept(const char *name, char out[NOTE_MOST])
{
	char text[FILE_MOST];
	struct err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0, m;
	bool good;

	if (file_read(CONTROL_FD_FOLDER, name, FILE_MOST, &p, &n, &e) < 0)
		return false;
	for (m = 0; m < n && m < NOTE_MOST - 1 && p[m] > ' '; m++)
		out[m] = (char)p[m];
	out[m] = '\0';
	good = text_of(out, text) == n && memcmp(text, p, n) == 0;
	free(p);
	return good;
}
