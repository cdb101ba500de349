/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/logins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* first and last user id of systemd's dynamic users, Sekisho's own, and nobody: no person logs in
 * as one */
#define SYSTEM_FIRST 61184u
#define SYSTEM_LAST 65535u

bool login_is_persons(uint32_t uid)
{
	return uid != 0 && uid != UINT32_MAX && (uid < SYSTEM_FIRST || uid > SYSTEM_LAST);
}

bool login_is_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= LOGIN_MOST && ((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_') &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

/* Digits only. */
static bool read_number(const char *text, uint32_t *ret)
{
	unsigned long long n;

	if (*text == 0 || strlen(text) > 10 || strspn(text, "0123456789") != strlen(text))
		return false;
	n = strtoull(text, NULL, 10);
	*ret = (uint32_t)n;
	return n <= UINT32_MAX;
}

/* Splits "name:x:1000:..." of passwd or group into its first and third field. The line is cut in
 * place. */
static bool split_entry(char *line, const char **ret_name, uint32_t *ret_number)
{
	char *rest = line, *name = strsep(&rest, ":");

	if (rest == NULL || strsep(&rest, ":") == NULL || rest == NULL)
		return false;
	*ret_name = name;
	return read_number(strsep(&rest, ":"), ret_number);
}

struct wanted {
	const char *name; /* NULL: search by number */
	uint32_t number;
	unsigned names, numbers; /* how many entries have this name, this number */
	char found[LOGIN_MOST + 1];
	uint32_t found_number;
};

static void compare_entry(struct wanted *w, char *line)
{
	const char *name;
	uint32_t n;

	if (!split_entry(line, &name, &n))
		return;
	if (w->name != NULL ? strcmp(name, w->name) == 0 : n == w->number) {
		w->names++;
		w->found_number = n;
		snprintf(w->found, sizeof(w->found), "%s", login_is_name(name) ? name : "");
	}
}

/* Reads whole lines, however long: otherwise the rest of a long line, such as a person's full name,
 * could pass for a line of its own. */
static bool scan(const char *file, void (*each)(struct wanted *, char *), struct wanted *w)
{
	FILE *f = fopen(file, "re");
	char *line = NULL;
	size_t size = 0;
	bool whole;

	if (f == NULL)
		return false;
	while (getline(&line, &size, f) >= 0) {
		line[strcspn(line, "\n")] = 0;
		each(w, line);
	}
	whole = ferror(f) == 0 && feof(f) != 0;
	free(line);
	fclose(f);
	return whole;
}

static void count_entry(struct wanted *w, char *line)
{
	const char *name;
	uint32_t n;

	if (split_entry(line, &name, &n)) {
		w->names += strcmp(name, w->found) == 0;
		w->numbers += n == w->found_number;
	}
}

/* Whether no other entry has the name or the number of the entry that was found. */
static bool is_alone(const char *file, struct wanted *w)
{
	w->names = w->numbers = 0;
	return w->found[0] != 0 && scan(file, count_entry, w) && w->names == 1 && w->numbers == 1;
}

bool login_of_uid(const char *file, uint32_t uid, char out[LOGIN_MOST + 1])
{
	struct wanted w = { .number = uid };

	if (!login_is_persons(uid) || !scan(file, compare_entry, &w) || w.names != 1 || !is_alone(file, &w))
		return false;
	memcpy(out, w.found, sizeof(w.found));
	return true;
}

bool login_of_name(const char *file, const char *name, uint32_t *ret_uid)
{
	struct wanted w = { .name = name };

	if (!login_is_name(name) || !scan(file, compare_entry, &w) || w.names != 1 ||
	    !login_is_persons(w.found_number) || !is_alone(file, &w))
		return false;
	*ret_uid = w.found_number;
	return true;
}

bool login_group(const char *file, const char *name, uint32_t *ret_gid)
{
	struct wanted w = { .name = name };

	*ret_gid = 0;
	if (!scan(file, compare_entry, &w) || w.names != 1 || w.found_number == 0)
		return false;
	*ret_gid = w.found_number;
	return true;
}
