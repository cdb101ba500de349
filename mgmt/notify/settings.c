/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/notify/settings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/keyfile.h"
#include "appliance/wire/plain.h"

#define MOST 8192u
#define EVERY_S 600u
#define EVERY_MOST 86400u

static bool line_read(void *of, const char *key, char *value)
{
	struct notify_settings *s = of;
	unsigned long n = 0;
	bool good = true;

	if (strcmp(key, "name") == 0)
		s->name = value;
	else if (strcmp(key, "ca") == 0)
		s->ca = value;
	else if (strcmp(key, "from") == 0)
		s->from = value;
	else if (strcmp(key, "to") == 0)
		s->to = value;
	else if (strcmp(key, "user") == 0)
		s->user = value;
	else if (strcmp(key, "lang") == 0)
		s->lang = strcmp(value, "ja") == 0 ? LANG_JA : LANG_EN;
	else if (strcmp(key, "address") == 0)
		good = addr_parse(value, &s->address);
	else if (strcmp(key, "port") == 0 && (good = keyfile_number(value, UINT16_MAX, &n)))
		s->port = (uint16_t)n;
	else if (strcmp(key, "every") == 0 && (good = keyfile_number(value, EVERY_MOST, &n)))
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
	int r;

	*ret = (struct notify_settings){ .user = "", .every_s = EVERY_S };
	r = keyfile_read(path, MOST, line_read, ret, &ret->text, e);
	if (r < 0)
		return r;
	return holds(ret) ? 0 : err_set(e, -EINVAL, "%s", path);
}

void notify_settings_free(struct notify_settings *s)
{
	free(s->text);
	*s = (struct notify_settings){ 0 };
}
