/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/notify/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/wire/plain.h"

#define MOST 8192u
#define EVERY_S 600u
#define EVERY_MOST 86400u

static bool number(const char *text, unsigned long most, unsigned long *ret)
{
	char *end;

	*ret = strtoul(text, &end, 10);
	return *text >= '1' && *text <= '9' && *end == '\0' && *ret <= most;
}

static bool line_read(struct notify_settings *s, char *line)
{
	char *value = strchr(line, ' ');
	unsigned long n = 0;
	bool good = true;

	if (line[0] == '#')
		return true;
	if (value == NULL)
		return false;
	*value++ = '\0';
	if (strcmp(line, "name") == 0)
		s->name = value;
	else if (strcmp(line, "ca") == 0)
		s->ca = value;
	else if (strcmp(line, "from") == 0)
		s->from = value;
	else if (strcmp(line, "to") == 0)
		s->to = value;
	else if (strcmp(line, "user") == 0)
		s->user = value;
	else if (strcmp(line, "lang") == 0)
		s->lang = strcmp(value, "ja") == 0 ? LANG_JA : LANG_EN;
	else if (strcmp(line, "address") == 0)
		good = addr_parse(value, &s->address);
	else if (strcmp(line, "port") == 0 && (good = number(value, UINT16_MAX, &n)))
		s->port = (uint16_t)n;
	else if (strcmp(line, "every") == 0 && (good = number(value, EVERY_MOST, &n)))
		s->every_s = (unsigned)n;
	else
		good = false;
	return good;
}

static bool holds(const struct notify_settings *s)
{
	return s->address.family != 0 && s->port != 0 && s->name != NULL && plain_server_name(s->name) &&
	       s->ca != NULL && plain_path(s->ca) && s->from != NULL && plain_mailbox(s->from) && s->to != NULL &&
	       plain_mailboxes(s->to) && (*s->user == '\0' || plain_word(s->user));
}

int notify_settings_read(const char *path, struct notify_settings *ret, struct err *e)
{
	uint8_t *text = NULL;
	size_t n = 0;
	int r;

	*ret = (struct notify_settings){ .user = "", .every_s = EVERY_S };
	r = file_read(AT_FDCWD, path, MOST, &text, &n, e);
	if (r < 0)
		return r;
	ret->text = (char *)text;
	if (strlen(ret->text) != n)
		return err_set(e, -EINVAL, "%s", path);
	for (char *at = ret->text, *line; (line = strsep(&at, "\n")) != NULL;)
		if (*line != '\0' && !line_read(ret, line))
			return err_set(e, -EINVAL, "%s", path);
	return holds(ret) ? 0 : err_set(e, -EINVAL, "%s", path);
}

void notify_settings_free(struct notify_settings *s)
{
	free(s->text);
	*s = (struct notify_settings){ 0 };
}
