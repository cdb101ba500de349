/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/fetch/fetch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/keyfile.h"
#include "appliance/wire/plain.h"

#define MOST 8192u

static bool line_read(void *of, const char *key, char *value)
{
	struct fetch_settings *s = of;
	unsigned long n;

	if (strcmp(key, "netns") == 0)
		s->netns = value;
	else if (strcmp(key, "name") == 0)
		s->name = value;
	else if (strcmp(key, "ca") == 0)
		s->ca = value;
	else if (strcmp(key, "folder") == 0)
		s->folder = value;
	else if (strcmp(key, "user") == 0)
		s->user = value;
	else if (strcmp(key, "address") == 0)
		return addr_parse(value, &s->address);
	else if (strcmp(key, "port") != 0 || !keyfile_number(value, UINT16_MAX, &n))
		return false;
	else
		s->port = (uint16_t)n;
	return true;
}

static bool settings_hold(const struct fetch_settings *s)
{
	return s->netns != NULL && strchr(s->netns, '/') == NULL && s->netns[0] != '.' && s->netns[0] != '\0' &&
	       s->address.family != 0 && s->port != 0 && s->name != NULL && plain_server_name(s->name) &&
	       s->ca != NULL && plain_path(s->ca) && (s->folder == NULL || plain_path(s->folder)) &&
	       (s->user == NULL || plain_word(s->user));
}

int fetch_settings_read(const char *path, struct fetch_settings *ret, struct err *e)
{
	int r;

	*ret = (struct fetch_settings){ 0 };
	r = keyfile_read(path, MOST, line_read, ret, &ret->text, e);
	if (r < 0)
		return r;
	return settings_hold(ret) ? 0 : err_set(e, -EINVAL, "%s", path);
}

void fetch_settings_free(struct fetch_settings *s)
{
	free(s->text);
	*s = (struct fetch_settings){ 0 };
}
