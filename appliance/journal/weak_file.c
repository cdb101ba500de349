/* SPDX-License-Identifier: Apache-2.0 */
/* The list of servers with weak TLS on the disk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/json.h"
#include "appliance/journal/weak.h"

#define FILE_NAME "weak"
#define FILE_BYTES (1u << 20)
#define FORM 1

static json_t *file_json(const struct weak_list *l)
{
	json_t *list = json_array();
	char text[ADDR_TEXT];

	for (size_t i = 0; i < l->n; i++) {
		const struct weak_server *s = &l->list[i];

		text[0] = '\0';
		if (s->address.family != 0)
			addr_text(&s->address, text);
		json_array_append_new(list, json_pack("{s:s, s:i, s:I, s:o, s:I, s:I, s:I, s:I, s:I}", "address", text,
						      "port", (int)s->port, "weak", (json_int_t)s->bits, "conduit",
						      json_text(s->conduit), "first", (json_int_t)s->first, "last",
						      (json_int_t)s->last, "sessions", (json_int_t)s->sessions,
						      "reviewed", (json_int_t)s->reviewed, "reviewed_weak",
						      (json_int_t)s->reviewed_bits));
	}
	return json_pack("{s:i, s:I, s:I, s:b, s:o}", "form", FORM, "beyond", (json_int_t)l->beyond, "beyond_last",
			 (json_int_t)l->beyond_last, "damaged", (int)l->damaged, "servers", list);
}

int weak_save(int folder, struct weak_list *l, struct err *e)
{
	json_t *j = file_json(l);
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
	int r = text != NULL ? atomic_write(folder, FILE_NAME, text, strlen(text), e)
			     : err_set(e, -ENOMEM, "the list of servers with weak TLS");

	free(text);
	json_decref(j);
	if (r == 0)
		l->changed = l->stale = false;
	return r;
}

static bool server_parse(json_t *j, struct weak_server *ret)
{
	json_int_t port, bits, first, last, sessions, reviewed, reviewed_bits;
	const char *address, *conduit;

	if (json_unpack_ex(j, NULL, JSON_STRICT, "{s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I}", "address", &address,
			   "port", &port, "weak", &bits, "conduit", &conduit, "first", &first, "last", &last,
			   "sessions", &sessions, "reviewed", &reviewed, "reviewed_weak", &reviewed_bits) < 0)
		return false;
	if (port < 0 || port > UINT16_MAX || bits < 0 || bits > UINT32_MAX || first < 0 || last < first ||
	    sessions < 0 || sessions > WEAK_SESSIONS || reviewed < 0 || reviewed_bits < 0 ||
	    reviewed_bits > UINT32_MAX || strlen(conduit) >= WEAK_CONDUIT)
		return false;
	*ret = (struct weak_server){ .port = (uint16_t)port,
				     .bits = (uint32_t)bits,
				     .first = (uint64_t)first,
				     .last = (uint64_t)last,
				     .sessions = (uint64_t)sessions,
				     .reviewed = (uint64_t)reviewed,
				     .reviewed_bits = (uint32_t)reviewed_bits };
	memcpy(ret->conduit, conduit, strlen(conduit) + 1);
	return *address == '\0' || addr_parse(address, &ret->address);
}

static bool all_parse(json_t *all, struct weak_list *ret)
{
	json_int_t form, beyond, beyond_last;
	json_t *list, *j;
	int damaged;
	size_t i;

	if (json_unpack_ex(all, NULL, JSON_STRICT, "{s:I, s:I, s:I, s:b, s:o}", "form", &form, "beyond", &beyond,
			   "beyond_last", &beyond_last, "damaged", &damaged, "servers", &list) < 0 ||
	    form != FORM || beyond < 0 || beyond > WEAK_SESSIONS || beyond_last < 0 || !json_is_array(list) ||
	    json_array_size(list) > WEAK_SERVERS)
		return false;
	ret->beyond = (uint64_t)beyond;
	ret->beyond_last = (uint64_t)beyond_last;
	ret->damaged = damaged != 0;
	json_array_foreach(list, i, j)
	{
		if (!server_parse(j, &ret->list[i]))
			return false;
		ret->n = i + 1;
	}
	return true;
}

bool weak_parse(const uint8_t *text, size_t n, struct weak_list *ret)
{
	json_t *all = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	bool sound;

	memset(ret, 0, sizeof(*ret));
	sound = all != NULL && all_parse(all, ret);
	json_decref(all);
	if (!sound)
		memset(ret, 0, sizeof(*ret));
	return sound;
}

void weak_load(int folder, struct weak_list *ret, bool *ret_damaged)
{
	uint8_t *text = NULL;
	size_t n = 0;
	int r = file_read(folder, FILE_NAME, FILE_BYTES, &text, &n, NULL);
	bool sound = r == 0 && weak_parse(text, n, ret);

	free(text);
	*ret_damaged = !sound && r != -ENOENT;
	if (sound)
		return;
	if (*ret_damaged)
		file_aside(folder, FILE_NAME);
	memset(ret, 0, sizeof(*ret));
	ret->damaged = ret->changed = *ret_damaged;
}
