/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that were heard on the box's networks: their records, and the register. Each interface
 * has an allowance of records; the rest becomes one sum every ten seconds, with an exact count. An
 * order of a person is on the disk before its record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/base/utf8.h"
#include "appliance/journal/role_device.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_register.h"
#include "appliance/journal/role_write.h"

#define SECOND 1000000000ull
#define RECORDS_BURST 32u
#define RECORD_NS (2 * SECOND) /* ns until the allowance grows by one record */
#define SUM_NS (10 * SECOND)
#define ADDRESS_NS (4 * SECOND) /* ns that a new device may take to show its address */

/* ---- records --------------------------------------------------------------------------------- */

static void device_text(const struct known_device *d, char *out, size_t size)
{
	char mac[MAC_TEXT], place[2 * KNOWN_NAME + 8];

	event_mac_text(event_mac_value(d->mac), mac);
	known_place(d->interface, d->zone, place, sizeof(place));
	snprintf(out, size, "%s, %s", mac, place);
}

/* The last address that is valid beyond its own link, else the last one; NULL = none. */
static const struct addr *address_of(const struct known_device *d)
{
	for (size_t i = 0; i < KNOWN_ADDRESSES && d->addresses[i].family != 0; i++)
		if (!known_is_local(&d->addresses[i]))
			return &d->addresses[i];
	return d->addresses[0].family != 0 ? &d->addresses[0] : NULL;
}

static struct event event_of(enum device_event what, const struct known_device *d)
{
	struct event e = event_new(EVENT_DEVICE, clock_wall_ns());
	char text[EVENT_TEXT];

	e.code = (uint8_t)what;
	e.value = event_mac_value(d->mac);
	if (address_of(d) != NULL)
		e.client = *address_of(d);
	device_text(d, text, sizeof(text));
	event_say(&e, EVENT_OBJECT, text);
	return e;
}

static struct device_pace *pace_of(struct journal_role *j, const struct event *e)
{
	struct device_pace *p = &j->device_paces[e->iif % DEVICE_PACES];

	p->iif = e->iif;
	p->generation = e->generation;
	return p;
}

static void count_over(struct journal_role *j, const struct event *e, uint64_t n)
{
	struct device_pace *p = pace_of(j, e);

	if (p->over == 0)
		p->since_ns = clock_mono().ns;
	p->over += n;
}

static bool may_record(struct journal_role *j, const struct event *e)
{
	struct device_pace *p = pace_of(j, e);
	uint64_t now = clock_mono().ns, back = (now - p->filled_ns) / RECORD_NS;

	if (back >= p->taken) {
		p->taken = 0;
		p->filled_ns = now;
	} else {
		p->taken -= (uint32_t)back;
		p->filled_ns += back * RECORD_NS;
	}
	if (p->taken == RECORDS_BURST)
		return false;
	p->taken++;
	return true;
}

static void tell_device(struct journal_role *j, const struct event *heard, const struct known_told *told)
{
	static const enum device_event codes[] = { [KNOWN_NEW_DEVICE] = DEVICE_UNKNOWN,
						   [KNOWN_OTHER_ZONE] = DEVICE_ELSEWHERE,
						   [KNOWN_ADDRESS_MOVED] = DEVICE_MOVED };
	const struct known_device *d = known_find(&j->known, told->number);
	struct event e;

	if (told->news == KNOWN_NO_PLACE || d == NULL || !may_record(j, heard)) {
		count_over(j, heard, 1);
		return;
	}
	e = event_of(codes[told->news], d);
	e.iif = heard->iif;
	e.generation = heard->generation;
	if (told->news == KNOWN_ADDRESS_MOVED)
		e.client = heard->client;
	event_say(&e, EVENT_BEFORE, told->before);
	role_put(j, &e, ROLE_JOURNAL, 1);
}

static void tell_pending(struct journal_role *j, struct device_pending *p)
{
	struct event heard = event_new(EVENT_DEVICE, 0);

	heard.iif = p->iif;
	heard.generation = p->generation;
	p->number = 0;
	tell_device(j, &heard, &p->told);
}

static struct device_pending *pending_of(struct journal_role *j, uint32_t number)
{
	for (size_t i = 0; i < DEVICE_PENDING; i++)
		if (j->device_pending[i].number == number)
			return &j->device_pending[i];
	return NULL;
}

/* Records the news at once. A new device without an address is recorded when it has shown one, or
 * after ADDRESS_NS. */
static void tell_in_time(struct journal_role *j, const struct event *heard, struct known_told *told)
{
	bool is_new = told->news == KNOWN_NEW_DEVICE || told->news == KNOWN_OTHER_ZONE;
	bool says = heard->client.family != 0 && !known_is_local(&heard->client);
	struct device_pending *p = told->number != 0 ? pending_of(j, told->number) : NULL;

	if (p != NULL) {
		/* The report also names the device that had the address before. */
		if (told->news == KNOWN_ADDRESS_MOVED && p->told.before[0] == '\0')
			memcpy(p->told.before, told->before, sizeof(p->told.before));
		if (says)
			tell_pending(j, p);
		return;
	}
	p = is_new && !says ? pending_of(j, 0) : NULL;
	if (p == NULL) {
		if (told->news != KNOWN_NO_NEWS)
			tell_device(j, heard, told);
		return;
	}
	*p = (struct device_pending){ .number = told->number,
				      .iif = heard->iif,
				      .generation = heard->generation,
				      .told = *told,
				      .due_ns = clock_mono().ns + ADDRESS_NS };
}

void role_device_heard(struct journal_role *j, const struct event *e)
{
	struct known_sighting s = { .address = e->client, .now = e->wall_ns / SECOND };
	struct known_told told;
	struct named_place place;

	if (e->value == 0) {
		/* This event names no device. It says how many devices were only counted at an
		 * interface. */
		if (j->known.reviewed != 0)
			count_over(j, e, e->count);
		return;
	}
	names_of_place(&j->names, e, &place);
	/* The policy has no such interface, or its names are not known yet: the device will be
	 * heard again. */
	if (place.interface == NULL || e->value >> 48 != 0)
		return;
	for (unsigned i = 0; i < sizeof(s.mac); i++)
		s.mac[i] = (uint8_t)(e->value >> (40 - 8 * i));
	s.interface = place.interface;
	s.zone = place.zone;
	s.asset = place.asset != NULL;
	told = known_see(&j->known, &s);
	if (j->known.reviewed != 0)
		tell_in_time(j, e, &told);
}

static void put_sum(struct journal_role *j, struct device_pace *p)
{
	struct event e = event_new(EVENT_DEVICE, clock_wall_ns());

	e.code = DEVICE_OVER;
	e.count = p->over;
	e.iif = p->iif;
	e.generation = p->generation;
	p->over = 0;
	role_put(j, &e, ROLE_JOURNAL, 1);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* The record of a list from a backup. It can be made again from the register. */
static struct event restored(const struct known *k, uint32_t n, const char *by, const char *from)
{
	struct event e = event_new(EVENT_DEVICE, clock_wall_ns());

	e.code = DEVICE_RESTORED;
	e.count = n;
	e.quantity = (uint32_t)known_new(k);
	event_say(&e, EVENT_OBJECT, from);
	event_say(&e, EVENT_BY, by);
	return e;
}

/* An order is in the register but perhaps not in the records, because the last run ended in
 * between. Its record is written now, perhaps for the second time. */
static void tell_unrecorded(struct journal_role *j)
{
	struct event e = event_new(EVENT_DEVICE, clock_wall_ns());
	struct known_order *o = &j->known.unrecorded;

	if (o->order == DEVICES_LIST)
		return;
	if (o->order == DEVICES_TAKE) {
		e = restored(&j->known, o->n, o->by, o->reason);
	} else {
		e.code = o->order == DEVICES_ACCEPT ? DEVICE_ACCEPTED_UNSURE : DEVICE_FORGOTTEN_UNSURE;
		e.count = o->n;
		event_say(&e, EVENT_BEFORE, o->person);
		event_say(&e, EVENT_AFTER, o->reason);
		event_say(&e, EVENT_BY, o->by);
	}
	role_put(j, &e, ROLE_JOURNAL, 1);
	*o = (struct known_order){ 0 };
	j->known.changed = true;
	role_device_write(j, clock_mono().ns, true);
}

void role_device_open(struct journal_role *j)
{
	static const enum device_event codes[DEVICES_ANEW] = { [DEVICES_FIRST] = DEVICE_FIRST,
							       [DEVICES_GONE] = DEVICE_GONE,
							       [DEVICES_UNREADABLE] = DEVICE_DAMAGED,
							       [DEVICES_OTHER_FORM] = DEVICE_OTHER_FORM };
	enum device_anew why = known_load(j->chain.dirfd, clock_wall_s(), j->chain.next_seq > 1, &j->known);
	struct event e = event_new(EVENT_DEVICE, clock_wall_ns());

	if (why == DEVICES_GO_ON) {
		tell_unrecorded(j);
		return;
	}
	e.code = (uint8_t)codes[why];
	role_put(j, &e, ROLE_JOURNAL, 1);
	/* The list is saved right after its record, so that the next start does not write the
	 * record again. */
	role_device_write(j, clock_mono().ns, true);
}

uint64_t role_device_due(const struct journal_role *j)
{
	uint64_t due = role_turn_due(&j->devices_turn, j->known.changed, j->known.stale);

	for (size_t i = 0; i < DEVICE_PENDING; i++)
		if (j->device_pending[i].number != 0 && j->device_pending[i].due_ns < due)
			due = j->device_pending[i].due_ns;
	for (size_t i = 0; i < DEVICE_PACES; i++)
		if (j->device_paces[i].over > 0 && j->device_paces[i].since_ns + SUM_NS < due)
			due = j->device_paces[i].since_ns + SUM_NS;
	return due;
}

void role_device_write(struct journal_role *j, uint64_t now, bool all)
{
	for (struct device_pending *p = j->device_pending; p < j->device_pending + DEVICE_PENDING; p++) {
		if (p->number != 0 && (all || now >= p->due_ns))
			tell_pending(j, p);
	}
	for (struct device_pace *p = j->device_paces; p < j->device_paces + DEVICE_PACES; p++) {
		if (p->over > 0 && (all || now >= p->since_ns + SUM_NS))
			put_sum(j, p);
	}
	role_register_write(j, &known_file, &j->known, &j->devices_turn, &j->known.changed, &j->known.stale, now, all);
}

/* the register before an order; static, because it is large */
static struct known before;

/* ---- people's orders ------------------------------------------------------------------------- */

void role_device_status(const struct journal_role *j, struct msg_journal_status *ret)
{
	const struct known *k = &j->known;
	char text[DEVICES_TOLD_BYTES - ADDR_TEXT - 2], address[ADDR_TEXT] = "";
	size_t n = 0;

	ret->devices = (uint32_t)k->n;
	ret->devices_new = (uint32_t)known_new(k);
	ret->devices_beyond = k->beyond;
	ret->devices_began = k->began;
	ret->devices_reviewed = k->reviewed;
	ret->devices_anew = k->anew;
	for (size_t i = 0; i < k->n && n < DEVICES_TOLD; i++) {
		const struct known_device *d = &k->list[i];

		if (d->state <= DEVICE_IS_LISTED)
			continue;
		ret->devices_told[n] = (uint64_t)d->state << 32 | d->number;
		ret->devices_since[n] = d->first;
		device_text(d, text, sizeof(text));
		if (address_of(d) != NULL)
			addr_text(address_of(d), address);
		snprintf((char *)&ret->devices_who[n * DEVICES_TOLD_BYTES], DEVICES_TOLD_BYTES, "%s%s%s", text,
			 address_of(d) != NULL ? ", " : "", address_of(d) != NULL ? address : "");
		n++;
	}
}

static void record_deed(struct journal_role *j, enum device_event what, const struct known_device *d,
			const struct msg_devices *m)
{
	struct event e = event_of(what, d);
	char text[EVENT_TEXT];

	if (m->family == 4 || m->family == 6) {
		e.server.family = m->family;
		memcpy(e.server.b, m->from, sizeof(e.server.b));
	}
	snprintf(text, sizeof(text), "%.*s", (int)sizeof(m->person) - 1, (const char *)m->person);
	event_say(&e, EVENT_BEFORE, text);
	event_say(&e, EVENT_AFTER, m->reason);
	snprintf(text, sizeof(text), "%.*s", (int)sizeof(m->by) - 1, (const char *)m->by);
	event_say(&e, EVENT_BY, text);
	role_put(j, &e, ROLE_JOURNAL, 1);
}

static bool device_meant(const struct known_device *d, const struct msg_devices *m)
{
	return m->all != 0 ? d->number <= m->number && d->state != DEVICE_IS_KNOWN : d->number == m->number;
}

/* Carries out an order in the register only. NULL, or the reason why not. */
static const char *carry_out(struct known *k, const struct msg_devices *m, uint64_t now, uint32_t *ret_n)
{
	for (size_t i = k->n; i-- > 0;) {
		struct known_device *d = &k->list[i];

		if (!device_meant(d, m))
			continue;
		++*ret_n;
		if (m->order == DEVICES_FORGET) {
			known_forget(k, d);
			continue;
		}
		if (!known_accept(k, d, now))
			return "too many devices are known";
		memcpy(d->by, m->by, sizeof(d->by) - 1);
		memcpy(d->person, m->person, sizeof(d->person) - 1);
		snprintf(d->reason, sizeof(d->reason), "%s", m->reason);
	}
	if (m->all == 0 && *ret_n == 0)
		return "no such device";
	/* Once an entry was removed, the list is this box's own, and no other backup may replace
	 * it. */
	if (k->anew == DEVICES_RESTORED && *ret_n > 0)
		k->anew = DEVICES_GO_ON;
	/* Accepting the whole list counts as a review, even when it is empty. */
	if (m->all != 0) {
		k->beyond = 0;
		if (m->order == DEVICES_ACCEPT) {
			k->reviewed = now;
			k->anew = DEVICES_GO_ON;
		}
	}
	k->changed = true;
	return NULL;
}

static void put_order(struct known_order *o, const struct msg_devices *m, uint32_t n)
{
	*o = (struct known_order){ .order = m->order, .n = n };
	memcpy(o->by, m->by, sizeof(o->by) - 1);
	memcpy(o->person, m->person, sizeof(o->person) - 1);
	snprintf(o->reason, sizeof(o->reason), "%s", m->reason);
}

/* ---- restoring a backup ---------------------------------------------------------------------- */

/* Makes news of the devices that this box heard before the restore and that the restored list
 * lacks. */
static void hear_again(struct journal_role *j)
{
	struct event heard = event_new(EVENT_DEVICE, clock_wall_ns());

	for (const struct known_device *d = before.list; d < before.list + before.n; d++) {
		struct known_sighting s = { .interface = d->interface, .zone = d->zone, .now = d->last };

		memcpy(s.mac, d->mac, sizeof(s.mac));
		for (size_t a = KNOWN_ADDRESSES; a-- > 0;) {
			struct known_device *entered;
			struct known_told told;

			if (a > 0 && d->addresses[a].family == 0)
				continue;
			heard.client = s.address = d->addresses[a];
			told = known_see(&j->known, &s);
			entered = told.number != 0 ? known_find(&j->known, told.number) : NULL;
			if (entered != NULL && d->first < entered->first)
				entered->first = d->first;
			if (j->known.reviewed != 0)
				tell_in_time(j, &heard, &told);
		}
	}
}

static enum device_anew copy_read(int fd, struct known *ret)
{
	enum device_anew why = DEVICES_UNREADABLE;
	uint8_t *text = NULL;
	struct err e;
	size_t n = 0;

	if (fd >= 0 && memfd_read(fd, KNOWN_BYTES, &text, &n, &e) == 0)
		why = known_parse(text, n, ret);
	free(text);
	return why == DEVICES_GO_ON && !known_is_sound(ret) ? DEVICES_UNREADABLE : why;
}

static json_t *take_over(struct journal_role *j, const struct msg_devices *m, int fd, enum answer_status *ret)
{
	static struct known from;
	enum device_anew why = copy_read(fd, &from);
	bool may = known_may_go(&j->known);
	struct known_order *o = &j->known.unrecorded;
	struct err err = { 0 };
	struct event e;

	if (why != DEVICES_GO_ON) {
		*ret = why == DEVICES_OTHER_FORM ? ANSWER_NO : ANSWER_INVALID;
		return json_pack("{s:s}", "error", "no list of devices");
	}
	if (may && m->order == DEVICES_TAKE) {
		/* Writes the pending news of the list that is to be replaced. */
		role_device_write(j, clock_mono().ns, true);
		before = j->known;
		known_take_over(&j->known, &from);
		*o = (struct known_order){ .order = DEVICES_TAKE, .n = (uint32_t)from.n };
		memcpy(o->by, m->by, sizeof(o->by) - 1);
		snprintf(o->reason, sizeof(o->reason), "%s", m->reason);
		if (role_register_save(j, &known_file, &j->known, &err) < 0) {
			j->known = before;
			*ret = ANSWER_CANNOT;
			return json_pack("{s:s}", "error", "no room on the disk");
		}
		e = restored(&j->known, o->n, o->by, o->reason);
		role_put(j, &e, ROLE_JOURNAL, 1);
		*o = (struct known_order){ 0 };
		j->known.changed = true;
		/* If the former list was reviewed already, for instance because it came from an
		 * earlier backup, its devices are on record. */
		if (before.reviewed == 0)
			hear_again(j);
	}
	return json_pack("{s:b, s:I, s:I}", "taken", may, "known", (json_int_t)(from.n - known_new(&from)), "new",
			 (json_int_t)known_new(&from));
}

json_t *role_device_order(struct journal_role *j, const struct msg *asked, enum answer_status *ret)
{
	const struct msg_devices *m = &asked->body.devices;
	const char *why = NULL;
	struct err e = { 0 };
	json_t *answer;
	uint32_t n = 0;

	*ret = ANSWER_YES;
	if (m->order == DEVICES_LIST)
		return known_json(&j->known);
	if (m->order == DEVICES_COPY) {
		/* A backup of a list that no box would accept would be useless. */
		if (known_is_sound(&j->known))
			return columns_json(known_file.columns, &j->known);
		*ret = ANSWER_CANNOT;
		return json_pack("{s:s}", "error", "no list of devices");
	}
	if (m->order == DEVICES_TRY || m->order == DEVICES_TAKE)
		return take_over(j, m, asked->n_fds > 0 ? asked->fds[0] : -1, ret);
	if (text_is_blank(m->person, sizeof(m->person)) || text_is_blank(m->reason, HOLD_REASON)) {
		*ret = ANSWER_INVALID;
		return json_pack("{s:s}", "error", "malformed order");
	}
	before = j->known;
	why = carry_out(&j->known, m, clock_wall_s(), &n);
	put_order(&j->known.unrecorded, m, n);
	if (why == NULL && role_register_save(j, &known_file, &j->known, &e) < 0)
		why = "no room on the disk";
	if (why != NULL) {
		j->known = before;
		*ret = strcmp(why, "no such device") == 0 ? ANSWER_NO : ANSWER_CANNOT;
		return json_pack("{s:s}", "error", why);
	}
	for (const struct known_device *d = before.list; d < before.list + before.n; d++) {
		if (device_meant(d, m))
			record_deed(j, m->order == DEVICES_ACCEPT ? DEVICE_ACCEPTED : DEVICE_FORGOTTEN, d, m);
	}
	j->known.unrecorded = (struct known_order){ 0 };
	j->known.changed = true;
	/* The web page asks for the list separately. */
	answer = m->family == 0 ? known_json(&j->known) : json_object();
	json_object_set_new(answer, m->family == 0 ? "done" : "devices", json_integer(n));
	return answer;
}
