/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/screen/csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/screen/wrap.h"

bool csv_cell(FILE *to, const char *text, bool last)
{
	char *safe = text_safe(text);
	size_t at;

	if (safe == NULL)
		return false;
	at = strspn(safe, " ");
	putc('"', to);
	if (safe[at] != '\0' && strchr("=+-@", safe[at]) != NULL)
		putc('\'', to);
	for (const char *s = safe; *s != '\0'; s++) {
		if (*s == '"')
			putc('"', to);
		putc(*s, to);
	}
	fputs(last ? "\"\r\n" : "\",", to);
	free(safe);
	return true;
}

int csv_file(const char *file, bool (*rows)(FILE *to, void *ctx), void *ctx)
{
	FILE *to = fopen(file, "we");
	bool sound = to != NULL && fputs(CSV_MARK, to) >= 0 && rows(to, ctx) && ferror(to) == 0;
	int code = errno != 0 ? errno : EIO;

	if (to != NULL && fclose(to) != 0 && sound)
		return errno;
	return sound ? 0 : code;
}
