/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/notify/outlet.h"

#include <errno.h>
#include <string.h>

#include "appliance/base/keyfile.h"
#include "appliance/wire/plain.h"

#define MOST 8192u
#define EVERY_S 600u
#define EVERY_MOST 86400u

/* The keys whose value is stored as it is. */
static const struct {
	const char *key;
	size_t at; /* of a const char * in the settings */
	bool snmp; /* a receiver of informs has it, too */
} texts[] = { { "user", offsetof(struct outlet_settings, user), true },
	      { "name", offsetof(struct outlet_settings, name), false },
	      { "ca", offsetof(struct outlet_settings, ca), false },
	      { "from", offsetof(struct outlet_settings, from), false },
	      { "to", offsetof(struct outlet_settings, to), false } };

static bool line_read(void *of, const char *key, char *value)
{
	struct outlet_settings *s = of;
	unsigned long n = 0;
	bool good = true;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(key, texts[i].key) == 0 && (texts[i].snmp || s->kind == OUTLET_MAIL)) {
			memcpy((char *)s + texts[i].at, &value, sizeof(value));
			return true;
		}
	if (strcmp(key, "lang") == 0)
		s->lang = strcmp(value, "ja") == 0 ? LANG_JA : LANG_EN;
	else if (strcmp(key, "address") == 0)
		good = addr_parse(value, &s->address);
	else if (strcmp(key, "port") == 0 && (good = keyfile_number(value, UINT16_MAX, &n)))
		s->port = (uint16_t)n;
	else if (s->kind == OUTLET_MAIL && strcmp(key, "every") == 0 && (good = keyfile_number(value, EVERY_MOST, &n)))
		s->every_s = (unsigned)n;
	else
		good = false;
	return good;
}

static bool settings_hold(const struct outlet_settings *s)
{
	if (s->address.family == 0 || s->port == 0)
		return false;
	if (s->kind == OUTLET_SNMP)
		return s->user != NULL && plain_security_name(s->user);
	return s->name != NULL && plain_server_name(s->name) && s->ca != NULL && plain_path(s->ca) && s->from != NULL &&
	       plain_mailbox(s->from) && s->to != NULL && plain_mailboxes(s->to) &&
	       (*s->user == '\0' || plain_word(s->user));
}

int outlet_settings_read(const char *path, enum outlet_kind kind, struct outlet_settings *ret, struct err *e)
{
	int r;

	*ret = (struct outlet_settings){ .kind = kind,
					 .user = kind == OUTLET_MAIL ? "" : NULL,
					 .every_s = kind == OUTLET_MAIL ? EVERY_S : 0 };
	r = keyfile_read(path, MOST, line_read, ret, &ret->text, e);
	if (r < 0)
		return r;
	return settings_hold(ret) ? 0 : err_set(e, -EINVAL, "%s", path);
}
