/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/inform/inform.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/keyfile.h"
#include "appliance/wire/plain.h"

#define MOST 8192u

static bool line_read(void *of, const char *key, char *value)
{
	struct inform_settings *s = of;
	unsigned long n = 0;
	bool good = true;

	if (strcmp(key, "user") == 0)
		s->user = value;
	else if (strcmp(key, "lang") == 0)
		s->lang = strcmp(value, "ja") == 0 ? LANG_JA : LANG_EN;
	else if (strcmp(key, "address") == 0)
		good = addr_parse(value, &s->address);
	else if (strcmp(key, "port") == 0 && (good = keyfile_number(value, UINT16_MAX, &n)))
		s->port = (uint16_t)n;
	else
		good = false;
	return good;
}

int inform_settings_read(const char *path, struct inform_settings *ret, struct err *e)
{
	int r;

	*ret = (struct inform_settings){ 0 };
	r = keyfile_read(path, MOST, line_read, ret, &ret->text, e);
	if (r < 0)
		return r;
	if (ret->address.family == 0 || ret->port == 0 || ret->user == NULL || !plain_security_name(ret->user))
		return err_set(e, -EINVAL, "%s", path);
	return 0;
}

void inform_settings_free(struct inform_settings *s)
{
	free(s->text);
	*s = (struct inform_settings){ 0 };
}
