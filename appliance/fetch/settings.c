/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/fetch/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/wire/plain.h"

#define MOST 8192u

static bool port_read(const char *text, uint16_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end != '\0' || n > UINT16_MAX)
		return false;
	*ret = (uint16_t)n;
	return true;
}

/* "KEY VALUE"; lines that begin with '#' say nothing. */
static bool line_read(struct fetch_settings *s, char *line)
{
	char *value = strchr(line, ' ');

	if (line[0] == '#')
		return true;
	if (value == NULL)
		return false;
	*value++ = '\0';
	if (strcmp(line, "netns") == 0)
		s->netns = value;
	else if (strcmp(line, "name") == 0)
		s->name = value;
	else if (strcmp(line, "ca") == 0)
		s->ca = value;
	else if (strcmp(line, "address") == 0)
		return addr_parse(value, &s->address);
	else
		return strcmp(line, "port") == 0 && port_read(value, &s->port);
	return true;
}

static bool holds(const struct fetch_settings *s)
{
	return s->netns != NULL && strchr(s->netns, '/') == NULL && s->netns[0] != '.' && s->netns[0] != '\0' &&
	       s->address.family != 0 && s->port != 0 && s->name != NULL && plain_server_name(s->name) &&
	       s->ca != NULL && plain_path(s->ca);
}

int fetch_settings_read(const char *path, struct fetch_settings *ret, struct err *e)
{
	uint8_t *text = NULL;
	size_t n = 0;
	int r;

	*ret = (struct fetch_settings){ 0 };
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

void fetch_settings_free(struct fetch_settings *s)
{
	free(s->text);
	*s = (struct fetch_settings){ 0 };
}
