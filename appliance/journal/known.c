/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/known.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/columns.h"
#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"

/* ---- the list -------------------------------------------------------------------------------- */

static struct known_device *device_find(struct known *k, const uint8_t mac[6], const char *interface)
{
	for (size_t i = 0; i < k->n; i++)
		if (memcmp(k->list[i].mac, mac, 6) == 0 && strcmp(k->list[i].interface, interface) == 0)
			return &k->list[i];
	return NULL;
}

struct known_device *known_find(struct known *k, uint32_t number)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->list[i].number == number)
			return &k->list[i];
	return NULL;
}

static bool is_new(const struct known_device *d)
{
	return d->state != DEVICE_IS_KNOWN;
}

/* The number of new devices at one interface; `interface` NULL = of all interfaces. */
static size_t new_of(const struct known *k, const char *interface)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		n += is_new(&k->list[i]) && (interface == NULL || strcmp(k->list[i].interface, interface) == 0);
	return n;
}

size_t known_new(const struct known *k)
{
	return new_of(k, NULL);
}

void known_forget(struct known *k, struct known_device *d)
{
	size_t at = (size_t)(d - k->list);

	memmove(&k->list[at], &k->list[at + 1], (--k->n - at) * sizeof(k->list[0]));
	k->list[k->n] = (struct known_device){ 0 };
	k->changed = true;
}

bool known_accept(struct known *k, struct known_device *d, uint64_t now)
{
	if (is_new(d) && k->n - known_new(k) >= KNOWN_ACCEPTED)
		return false;
	d->state = DEVICE_IS_KNOWN;
	d->reviewed = k->reviewed = now;
	k->anew = DEVICES_GO_ON;
	k->changed = true;
	return true;
}

#define INTERFACES 64u /* interfaces that are counted when room is made; further ones are ignored */

/* Chooses a device to drop: the youngest new device of the interface with the most new devices, if
 * that interface has more of them than `interface` would have with one more. A device that a person
 * once accepted is not dropped. NULL = none. */
static struct known_device *to_give_up(struct known *k, const char *interface)
{
	struct {
		size_t n, youngest;
	} of[INTERFACES] = { 0 };
	size_t n = 0, most = INTERFACES, own = new_of(k, interface);

	for (size_t i = 0; i < k->n; i++) {
		size_t at = 0;

		if (!is_new(&k->list[i]) || k->list[i].reviewed != 0)
			continue;
		while (at < n && strcmp(k->list[of[at].youngest].interface, k->list[i].interface) != 0)
			at++;
		if (at == INTERFACES)
			continue;
		n = at == n ? n + 1 : n;
		of[at].n++;
		of[at].youngest = i;
	}
	for (size_t at = 0; at < n; at++)
		if (of[at].n > own + 1 && (most == INTERFACES || of[at].n > of[most].n))
			most = at;
	return most < INTERFACES ? &k->list[of[most].youngest] : NULL;
}

static struct known_device *make_room(struct known *k, const struct known_sighting *s)
{
	struct known_device *old;

	if (k->last == UINT32_MAX || new_of(k, s->interface) >= KNOWN_SHARE)
		return NULL;
	if (known_new(k) >= KNOWN_NEW || k->n == KNOWN_MOST) {
		old = to_give_up(k, s->interface);
		if (old == NULL)
			return NULL;
		known_forget(k, old);
		k->beyond++;
	}
	return &k->list[k->n++];
}

/* ---- restoring a backup ---------------------------------------------------------------------- */

/* Checks the form of a policy's name, because it will stand in records, alarms and mail. */
static bool is_name(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

	return text[strspn(text, letters)] == '\0';
}

bool known_is_sound(struct known *k)
{
	size_t n = k->n - known_new(k);

	if (n > KNOWN_ACCEPTED || (k->reviewed == 0 && n > 0))
		return false;
	for (size_t i = 0; i < k->n; i++) {
		const struct known_device *d = &k->list[i];

		if (*d->interface == '\0' || !is_name(d->interface) || !is_name(d->zone) ||
		    (!is_new(d) && d->reviewed == 0) || device_find(k, d->mac, d->interface) != d)
			return false;
	}
	return true;
}

bool known_may_go(const struct known *k)
{
	return k->reviewed == 0 || k->anew == DEVICES_RESTORED;
}

void known_take_over(struct known *k, const struct known *from)
{
	uint32_t last = k->last <= UINT32_MAX - KNOWN_MOST ? k->last : 0;

	*k = *from;
	for (size_t i = 0; i < k->n; i++)
		k->list[i].number = ++last;
	k->last = last;
	k->anew = DEVICES_RESTORED;
	k->unrecorded = (struct known_order){ 0 };
	k->changed = true;
}

/* ---- hearing --------------------------------------------------------------------------------- */

void known_place(const char *interface, const char *zone, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s%s", interface, *zone != '\0' ? " (" : "", zone, *zone != '\0' ? ")" : "");
}

/* The accepted device with that MAC address, if any; *ret_same_zone: it was accepted in the zone
 * where it is heard now. */
static const struct known_device *known_as(const struct known *k, const struct known_sighting *s, bool *ret_same_zone)
{
	const struct known_device *ret = NULL;

	*ret_same_zone = false;
	for (size_t i = 0; i < k->n && !*ret_same_zone; i++) {
		const struct known_device *d = &k->list[i];

		if (is_new(d) || memcmp(d->mac, s->mac, sizeof(d->mac)) != 0)
			continue;
		ret = d;
		*ret_same_zone = d->zone[0] != '\0' && strcmp(d->zone, s->zone) == 0;
	}
	return ret;
}

static void copy_name(char *out, const char *text)
{
	snprintf(out, KNOWN_NAME, "%s", text);
}

static struct known_device *device_enter(struct known *k, const struct known_sighting *s, struct known_told *told)
{
	bool same_zone;
	const struct known_device *as = known_as(k, s, &same_zone);
	struct known_device d = { .first = s->now, .last = s->now, .state = DEVICE_IS_UNKNOWN }, *ret;

	if (as != NULL && same_zone && k->n - known_new(k) < KNOWN_ACCEPTED) {
		/* The device was accepted at another interface of the same zone, so it is accepted
		 * here, too. */
		d = *as;
		d.first = d.last = s->now;
		memset(d.addresses, 0, sizeof(d.addresses));
	} else if (as != NULL) {
		d.state = DEVICE_IS_ELSEWHERE;
		known_place(as->interface, as->zone, told->before, sizeof(told->before));
	}
	if (k->reviewed == 0)
		d.state = DEVICE_IS_LISTED;
	ret = is_new(&d) ? make_room(k, s) : k->n < KNOWN_MOST ? &k->list[k->n++] : NULL;
	if (ret == NULL) {
		k->beyond++;
		k->stale = true;
		told->news = KNOWN_NO_PLACE;
		return NULL;
	}
	d.number = ++k->last;
	memcpy(d.mac, s->mac, sizeof(d.mac));
	copy_name(d.interface, s->interface);
	copy_name(d.zone, s->zone);
	*ret = d;
	k->changed = true;
	told->news = d.state == DEVICE_IS_ELSEWHERE ? KNOWN_OTHER_ZONE
		     : d.state == DEVICE_IS_UNKNOWN ? KNOWN_NEW_DEVICE
						    : KNOWN_NO_NEWS;
	return ret;
}

static void take_off(struct known_device *d, size_t at)
{
	memmove(&d->addresses[at], &d->addresses[at + 1], (KNOWN_ADDRESSES - 1 - at) * sizeof(d->addresses[0]));
	d->addresses[KNOWN_ADDRESSES - 1] = (struct addr){ 0 };
}

/* The index of the address in the device's list; KNOWN_ADDRESSES = it is not in the list. */
static size_t address_at(const struct known_device *d, const struct addr *a)
{
	size_t at = 0;

	while (at < KNOWN_ADDRESSES && addr_cmp(&d->addresses[at], a) != 0)
		at++;
	return at;
}

/* Removes the address from the other device that has it at that interface, and returns that device.
 * NULL = no other device has it. */
static const struct known_device *taken_from(struct known *k, const struct known_device *by, const struct addr *a)
{
	for (size_t i = 0; i < k->n; i++) {
		struct known_device *d = &k->list[i];
		size_t at = d == by || strcmp(d->interface, by->interface) != 0 ? KNOWN_ADDRESSES : address_at(d, a);

		if (at == KNOWN_ADDRESSES)
			continue;
		take_off(d, at);
		return d;
	}
	return NULL;
}

static void put_address(struct known *k, struct known_device *d, const struct known_sighting *s,
			struct known_told *told)
{
	const struct known_device *from;
	size_t at = s->address.family != 0 ? address_at(d, &s->address) : 0;

	if (s->address.family == 0 || at == 0)
		return;
	from = at == KNOWN_ADDRESSES ? taken_from(k, d, &s->address) : NULL;
	take_off(d, at < KNOWN_ADDRESSES ? at : KNOWN_ADDRESSES - 1);
	memmove(&d->addresses[1], &d->addresses[0], (KNOWN_ADDRESSES - 1) * sizeof(d->addresses[0]));
	d->addresses[0] = s->address;
	if (at < KNOWN_ADDRESSES) {
		k->stale = true; /* only the order has changed */
		return;
	}
	k->changed = true;
	if (from == NULL || k->reviewed == 0)
		return;
	if (told->before[0] == '\0')
		event_mac_text(event_mac_value(from->mac), told->before);
	if (told->news == KNOWN_NO_NEWS)
		told->news = KNOWN_ADDRESS_MOVED;
	/* Leased addresses move between devices as a matter of course; an address that the policy
	 * gives to an asset does not. */
	if (s->asset && !is_new(d))
		d->state = DEVICE_HAS_ADDRESS;
}

struct known_told known_see(struct known *k, const struct known_sighting *s)
{
	struct known_told told = { .news = KNOWN_NO_NEWS };
	struct known_device *d = device_find(k, s->mac, s->interface);

	if (d == NULL)
		d = device_enter(k, s, &told);
	if (d == NULL)
		return told;
	told.number = d->number;
	/* With several zones behind one interface, the last address decides the zone. */
	if (*s->zone != '\0' && strcmp(d->zone, s->zone) != 0) {
		copy_name(d->zone, s->zone);
		k->changed = true;
	}
	/* If the time of last hearing is days in the future, the clock was ahead then. */
	if (s->now > d->last || d->last - s->now > KNOWN_AHEAD_S) {
		d->last = s->now;
		d->first = d->first < d->last ? d->first : d->last;
		k->stale = true;
	}
	put_address(k, d, s, &told);
	return told;
}

/* ---- JSON for people and programs ------------------------------------------------------------ */

bool known_is_local(const struct addr *a)
{
	return a->family == 6 ? a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80
			      : a->family == 4 && a->b[0] == 169 && a->b[1] == 254;
}

static json_t *addresses_json(const void *addresses)
{
	const struct addr *a = addresses;
	json_t *list = json_array();

	for (size_t i = 0; i < KNOWN_ADDRESSES && a[i].family != 0; i++)
		json_array_append_new(list, json_addr(&a[i]));
	return list;
}

static json_t *device_json(const struct known_device *d)
{
	char mac[MAC_TEXT];

	event_mac_text(event_mac_value(d->mac), mac);
	return json_pack("{s:I, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "number",
			 (json_int_t)d->number, "state", device_state_word(d->state), "mac", mac, "mac_chosen",
			 (d->mac[0] & 2) != 0, "addresses", addresses_json(d->addresses), "interface",
			 json_text(d->interface), "zone", json_text_or_null(d->zone), "first", json_seconds(d->first),
			 "last", json_seconds(d->last), "reviewed", json_seconds(d->reviewed), "by",
			 json_text_or_null(d->by), "person", json_text_or_null(d->person), "reason",
			 json_text_or_null(d->reason));
}

json_t *known_json(const struct known *k)
{
	json_t *list = json_array();

	for (size_t i = 0; i < k->n; i++)
		json_array_append_new(list, device_json(&k->list[i]));
	return json_pack("{s:o, s:b, s:o, s:o, s:I, s:I, s:I, s:o}", "devices", list, "learning", k->reviewed == 0,
			 "began", json_seconds(k->began), "reviewed", json_seconds(k->reviewed), "last",
			 (json_int_t)k->last, "new", (json_int_t)known_new(k), "beyond", (json_int_t)k->beyond, "anew",
			 device_anew_word(k->anew) != NULL ? json_string(device_anew_word(k->anew)) : json_null());
}

/* The register of devices on the disk. */

#define FORM 1

static json_t *mac_json(const void *mac)
{
	return json_integer((json_int_t)event_mac_value(mac));
}

static bool mac_take(const json_t *j, void *ret)
{
	json_int_t mac = json_integer_value(j);

	for (unsigned i = 0; i < 6; i++)
		((uint8_t *)ret)[i] = (uint8_t)(mac >> (40 - 8 * i) & 255);
	return mac > 0 && mac >> 48 == 0;
}

static bool addresses_take(const json_t *list, void *ret)
{
	if (!json_is_array(list) || json_array_size(list) > KNOWN_ADDRESSES)
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text == NULL || !addr_parse(text, (struct addr *)ret + i))
			return false;
	}
	return true;
}

#define DEVICE(member, kind, least, most) COLUMN(#member, struct known_device, member, COLUMN_##kind, least, most)
#define DEVICE_BY(member) COLUMN_BY(#member, struct known_device, member, member##_json, member##_take)
static const struct column device_table[] = { DEVICE(number, NUMBER, 1, UINT32_MAX),
					      DEVICE_BY(mac),
					      DEVICE(state, NUMBER, 0, DEVICE_STATES - 1),
					      DEVICE(interface, TEXT, 0, 0),
					      DEVICE(zone, TEXT, 0, 0),
					      DEVICE_BY(addresses),
					      DEVICE(first, NUMBER, 0, INT64_MAX),
					      DEVICE(last, NUMBER, 0, INT64_MAX),
					      DEVICE(reviewed, NUMBER, 0, INT64_MAX),
					      DEVICE(by, TEXT, 0, 0),
					      DEVICE(person, TEXT, 0, 0),
					      DEVICE(reason, TEXT, 0, 0) };
static const struct columns device_columns = COLUMNS(device_table, struct known_device);

#define ORDER(member, kind, most) COLUMN(#member, struct known_order, member, COLUMN_##kind, 0, most)
static const struct column order_table[] = { ORDER(order, NUMBER, UINT8_MAX), ORDER(n, NUMBER, KNOWN_MOST),
					     ORDER(by, TEXT, 0), ORDER(person, TEXT, 0), ORDER(reason, TEXT, 0) };
static const struct columns order_columns = COLUMNS(order_table, struct known_order);

static json_t *order_json(const void *order)
{
	const struct known_order *o = order;

	return o->order == DEVICES_LIST ? json_null() : columns_json(&order_columns, o);
}

static bool order_take(const json_t *j, void *ret)
{
	const struct known_order *o = ret;

	return json_is_null(j) ||
	       (columns_parse(&order_columns, j, 0, ret) &&
		(o->order == DEVICES_ACCEPT || o->order == DEVICES_FORGET || o->order == DEVICES_TAKE));
}

#define KNOWN(member, most) COLUMN(#member, struct known, member, COLUMN_NUMBER, 0, most)
static const struct column known_table[] = { COLUMN_IS("form", FORM),
					     KNOWN(last, UINT32_MAX),
					     KNOWN(began, INT64_MAX),
					     KNOWN(reviewed, INT64_MAX),
					     KNOWN(beyond, INT64_MAX),
					     KNOWN(anew, DEVICES_ANEW - 1),
					     COLUMN_BY("unrecorded", struct known, unrecorded, order_json, order_take),
					     COLUMN_LIST("devices", struct known, list, n, &device_columns) };
static const struct columns known_columns = COLUMNS(known_table, struct known);

static bool numbers_rise(const void *known)
{
	const struct known *k = known;

	for (size_t i = 0; i < k->n; i++) {
		const struct known_device *d = &k->list[i];

		if (d->number <= (i > 0 ? d[-1].number : 0) || d->number > k->last || d->last < d->first)
			return false;
	}
	return true;
}

const struct columns_file known_file = { "devices", "the list of devices", KNOWN_BYTES, &known_columns, numbers_rise };

#define MEMBERS 24u /* members of one device, at most, with separators */

/* Refuses a text with more parts than a full register can have: the parsed form of each part takes
 * many times its length in memory. */
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
	json_t *all;
	const json_t *form;
	bool other;

	n = is_bounded(text, n) ? n : 0;
	if (columns_read(&known_file, text, n, ret))
		return DEVICES_GO_ON;
	all = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	form = json_object_get(all, "form");
	other = json_is_integer(form) && json_integer_value(form) != FORM;
	json_decref(all);
	return other ? DEVICES_OTHER_FORM : DEVICES_UNREADABLE;
}

enum device_anew known_load(int folder, uint64_t now, bool records, struct known *ret)
{
	uint8_t *text = NULL;
	size_t n = 0;
	int r = file_read(folder, known_file.name, KNOWN_BYTES, &text, &n, NULL);
	enum device_anew why = r == 0	      ? known_parse(text, n, ret)
			       : r != -ENOENT ? DEVICES_UNREADABLE
			       : records      ? DEVICES_GONE
					      : DEVICES_FIRST;

	free(text);
	if (why == DEVICES_GO_ON)
		return why;
	if (r != -ENOENT)
		file_aside(folder, known_file.name);
	memset(ret, 0, sizeof(*ret));
	ret->began = now;
	ret->anew = (uint8_t)why;
	ret->changed = true;
	return why;
}
