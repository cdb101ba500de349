/* SPDX-License-Identifier: Apache-2.0 */
/* The register of devices on the disk. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/journal/known.h"
#include "appliance/wire/event.h"

#define FILE_NAME "devices"
#define FORM 1

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static json_t *addresses_json(const struct known_device *d)
{
	json_t *list = json_array();
	char text[ADDR_TEXT];

	for (size_t i = 0; i < KNOWN_ADDRESSES && d->addresses[i].family != 0; i++) {
		addr_text(&d->addresses[i], text);
		json_array_append_new(list, json_text(text));
	}
	return list;
}

static json_t *order_json(const struct known_order *o)
{
	if (o->order == DEVICES_LIST)
		return json_null();
	return json_pack("{s:i, s:I, s:o, s:o, s:o}", "order", (int)o->order, "n", (json_int_t)o->n, "by",
			 json_text(o->by), "person", json_text(o->person), "reason", json_text(o->reason));
}

json_t *known_file_json(const struct known *k)
{
	json_t *list = json_array();

	for (size_t i = 0; i < k->n; i++) {
		const struct known_device *d = &k->list[i];

		json_array_append_new(list, json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o}",
						      "number", (json_int_t)d->number, "mac",
						      (json_int_t)event_mac_value(d->mac), "state",
						      (json_int_t)d->state, "interface", json_text(d->interface),
						      "zone", json_text(d->zone), "addresses", addresses_json(d),
						      "first", (json_int_t)d->first, "last", (json_int_t)d->last,
						      "reviewed", (json_int_t)d->reviewed, "by", json_text(d->by),
						      "person", json_text(d->person), "reason", json_text(d->reason)));
	}
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:i, s:o, s:o}", "form", FORM, "last", (json_int_t)k->last, "began",
			 (json_int_t)k->began, "reviewed", (json_int_t)k->reviewed, "beyond", (json_int_t)k->beyond,
			 "anew", (int)k->anew, "unrecorded", order_json(&k->unrecorded), "devices", list);
}

int known_save(int folder, struct known *k, struct err *e)
{
	json_t *j = known_file_json(k);
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
	int r = text != NULL ? atomic_write(folder, FILE_NAME, text, strlen(text), e)
			     : err_set(e, -ENOMEM, "the list of devices");

	free(text);
	json_decref(j);
	if (r == 0)
		k->changed = k->stale = false;
	return r;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static bool take_text(char *out, size_t room, const char *text)
{
	size_t n = strlen(text);

	if (n >= room)
		return false;
	memcpy(out, text, n + 1);
	return true;
}

static bool take_addresses(const json_t *list, struct known_device *d)
{
	if (!json_is_array(list) || json_array_size(list) > KNOWN_ADDRESSES)
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text == NULL || !addr_parse(text, &d->addresses[i]))
			return false;
	}
	return true;
}

static bool device_parse(json_t *j, uint32_t before, uint32_t last, struct known_device *ret)
{
	json_int_t number, mac, state, first, last_heard, reviewed;
	const char *interface, *zone, *by, *person, *reason;
	json_t *addresses;

	if (json_unpack_ex(j, NULL, JSON_STRICT, "{s:I, s:I, s:I, s:s, s:s, s:o, s:I, s:I, s:I, s:s, s:s, s:s}",
			   "number", &number, "mac", &mac, "state", &state, "interface", &interface, "zone", &zone,
			   "addresses", &addresses, "first", &first, "last", &last_heard, "reviewed", &reviewed, "by",
			   &by, "person", &person, "reason", &reason) < 0)
		return false;
	if (number <= before || number > last || mac <= 0 || mac >> 48 != 0 || state < 0 || state >= DEVICE_STATES ||
	    first < 0 || last_heard < first || reviewed < 0)
		return false;
	*ret = (struct known_device){ .number = (uint32_t)number,
				      .state = (uint8_t)state,
				      .first = (uint64_t)first,
				      .last = (uint64_t)last_heard,
				      .reviewed = (uint64_t)reviewed };
	for (unsigned i = 0; i < sizeof(ret->mac); i++)
		ret->mac[i] = (uint8_t)(mac >> (40 - 8 * i) & 255);
	return take_addresses(addresses, ret) && take_text(ret->interface, sizeof(ret->interface), interface) &&
	       take_text(ret->zone, sizeof(ret->zone), zone) && take_text(ret->by, sizeof(ret->by), by) &&
	       take_text(ret->person, sizeof(ret->person), person) &&
	       take_text(ret->reason, sizeof(ret->reason), reason);
}

static bool order_parse(json_t *j, struct known_order *ret)
{
	const char *by, *person, *reason;
	json_int_t order, n;

	if (json_is_null(j))
		return true;
	if (json_unpack_ex(j, NULL, JSON_STRICT, "{s:I, s:I, s:s, s:s, s:s}", "order", &order, "n", &n, "by", &by,
			   "person", &person, "reason", &reason) < 0 ||
	    (order != DEVICES_ACCEPT && order != DEVICES_FORGET && order != DEVICES_TAKE) || n < 0 || n > KNOWN_MOST)
		return false;
	ret->order = (uint8_t)order;
	ret->n = (uint32_t)n;
	return take_text(ret->by, sizeof(ret->by), by) && take_text(ret->person, sizeof(ret->person), person) &&
	       take_text(ret->reason, sizeof(ret->reason), reason);
}

static bool all_parse(json_t *all, struct known *ret)
{
	json_int_t last, began, reviewed, beyond, anew, form;
	json_t *list, *j, *order;
	size_t i;

	if (json_unpack_ex(all, NULL, JSON_STRICT, "{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "form", &form, "last",
			   &last, "began", &began, "reviewed", &reviewed, "beyond", &beyond, "anew", &anew,
			   "unrecorded", &order, "devices", &list) < 0 ||
	    !order_parse(order, &ret->unrecorded) || anew < 0 || anew >= DEVICES_ANEW || last < 0 ||
	    last > UINT32_MAX || began < 0 || reviewed < 0 || beyond < 0 || !json_is_array(list) ||
	    json_array_size(list) > KNOWN_MOST)
		return false;
	ret->last = (uint32_t)last;
	ret->began = (uint64_t)began;
	ret->reviewed = (uint64_t)reviewed;
	ret->beyond = (uint64_t)beyond;
	ret->anew = (uint8_t)anew;
	json_array_foreach(list, i, j)
	{
		if (!device_parse(j, i > 0 ? ret->list[i - 1].number : 0, ret->last, &ret->list[i]))
			return false;
		ret->n = i + 1;
	}
	return true;
}

#define MEMBERS 24u /* of one device and fewer of all, with what separates them */

/* In as many parts as a full register has at most: each takes many times its length once it is read. */
static bool is_bounded(const uint8_t *text, size_t n)
{
	size_t parts = 0;
	bool within = false;

	for (size_t i = 0; i < n; i++) {
		if (within && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			within = !within;
		else if (!within && (text[i] == '[' || text[i] == '{' || text[i] == ','))
			parts++;
	}
	return parts <= (KNOWN_MOST + 1) * MEMBERS;
}

enum device_anew known_parse(const uint8_t *text, size_t n, struct known *ret)
{
	json_t *all = is_bounded(text, n) ? json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_t *form;
	enum device_anew why = DEVICES_UNREADABLE;

	memset(ret, 0, sizeof(*ret));
	form = json_object_get(all, "form");
	if (json_is_integer(form) && json_integer_value(form) != FORM)
		why = DEVICES_OTHER_FORM;
	else if (all != NULL && all_parse(all, ret))
		why = DEVICES_GO_ON;
	json_decref(all);
	if (why != DEVICES_GO_ON)
		memset(ret, 0, sizeof(*ret));
	return why;
}

enum device_anew known_load(int folder, uint64_t now, bool records, struct known *ret)
{
	uint8_t *text = NULL;
	size_t n = 0;
	int r = file_read(folder, FILE_NAME, KNOWN_BYTES, &text, &n, NULL);
	enum device_anew why = r == 0	      ? known_parse(text, n, ret)
			       : r != -ENOENT ? DEVICES_UNREADABLE
			       : records      ? DEVICES_GONE
					      : DEVICES_FIRST;

	free(text);
	if (why == DEVICES_GO_ON)
		return why;
	if (r != -ENOENT)
		file_aside(folder, FILE_NAME);
	memset(ret, 0, sizeof(*ret));
	ret->began = now;
	ret->anew = (uint8_t)why;
	ret->changed = true;
	return why;
}
