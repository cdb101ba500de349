/* SPDX-License-Identifier: Apache-2.0 */
/* Writes EtherNet/IP messages and judges them, with desk.h. */
#ifndef SEKISHO_TESTS_ENIP_DESK_H
#define SEKISHO_TESTS_ENIP_DESK_H

#include "dpi/enip/enip.h"

#define DESK_ENFORCER enip_enforcer
#include "appliance/wire/tag.h"
#include "dpi/enip/words.h"
#include "tests/unit/dpi/desk.h"

#define HANDLE 0x11020100u

struct note { /* bytes being written */
	uint8_t b[ENIP_PDU_MAX + 64];
	size_t n;
};

static inline struct note *put(struct note *w, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		w->b[w->n++] = (uint8_t)(v >> 8 * i);
	return w;
}

static inline struct note *put_bytes(struct note *w, const void *p, size_t n)
{
	if (n > 0)
		memcpy(w->b + w->n, p, n);
	w->n += n;
	return w;
}

#define NOTE(...) note_of((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static inline struct note note_of(const uint8_t *p, size_t n)
{
	struct note w = { .n = 0 };

	put_bytes(&w, p, n);
	return w;
}

static inline struct note encap_note(uint16_t command, uint32_t handle, uint64_t context, const struct note *data)
{
	struct note w = { .n = 0 };

	put(put(put(put(put(put(&w, command, 2), data->n, 2), handle, 4), 0, 4), context, 8), 0, 4);
	put_bytes(&w, data->b, data->n);
	return w;
}

static inline struct note request_note(uint64_t context, const struct note *cip)
{
	struct note w = { .n = 0 };

	put(put(put(put(put(put(put(&w, 0, 4), 0, 2), 2, 2), 0, 2), 0, 2), 0xb2, 2), cip->n, 2);
	put_bytes(&w, cip->b, cip->n);
	return encap_note(ENCAP_REQUEST, HANDLE, context, &w);
}

static inline struct note unit_note(uint32_t connection, uint16_t sequence, const struct note *cip)
{
	struct note w = { .n = 0 };

	put(put(put(put(put(put(put(&w, 0, 4), 0, 2), 2, 2), 0xa1, 2), 4, 2), connection, 4), 0xb1, 2);
	put(put(&w, cip->n + 2, 2), sequence, 2);
	put_bytes(&w, cip->b, cip->n);
	return encap_note(ENCAP_UNIT, HANDLE, 0, &w);
}

/* Service, path (in whole words), data. */
static inline struct note cip_note(uint8_t service, const struct note *path, const struct note *data)
{
	struct note w = { .n = 0 };

	put(put(&w, service, 1), path->n / 2, 1);
	put_bytes(&w, path->b, path->n);
	put_bytes(&w, data->b, data->n);
	return w;
}

/* A request to an object; its path has the attribute if that is not 0. */
static inline struct note object_note(uint8_t service, uint16_t class, uint32_t instance, uint16_t attribute,
				      const struct note *data)
{
	struct note path = { .n = 0 };

	if (class > 255)
		put(put(&path, 0x21, 2), class, 2);
	else
		put(put(&path, 0x20, 1), class, 1);
	if (instance > 65535)
		put(put(&path, 0x26, 2), instance, 4);
	else if (instance > 255)
		put(put(&path, 0x25, 2), instance, 2);
	else
		put(put(&path, 0x24, 1), instance, 1);
	if (attribute > 255)
		put(put(&path, 0x31, 2), attribute, 2);
	else if (attribute > 0)
		put(put(&path, 0x30, 1), attribute, 1);
	return cip_note(service, &path, data);
}

/* A path of a tag, with one symbol for each part of its name. */
static inline struct note tag_path(const char *name)
{
	struct note path = { .n = 0 };

	while (*name != '\0') {
		size_t n = strcspn(name, ".");

		put(put(&path, 0x91, 1), n, 1);
		put_bytes(&path, name, n);
		put(&path, 0, n & 1u);
		name += n + (name[n] == '.');
	}
	return path;
}

static inline struct note tag_note(uint8_t service, const char *name, const struct note *data)
{
	struct note path = tag_path(name);

	return cip_note(service, &path, data);
}

static inline struct note several_note(const struct note *parts, size_t n)
{
	struct note data = { .n = 0 }, path = NOTE(0x20, 2, 0x24, 1);
	size_t at = 2 + 2 * n;

	put(&data, n, 2);
	for (size_t i = 0; i < n; i++) {
		put(&data, at, 2);
		at += parts[i].n;
	}
	for (size_t i = 0; i < n; i++)
		put_bytes(&data, parts[i].b, parts[i].n);
	return cip_note(0x0a, &path, &data);
}

static inline struct note sent_on_note(const struct note *cip, const struct note *route)
{
	struct note data = NOTE(5, 157), path = NOTE(0x20, 6, 0x24, 1);

	put(&data, cip->n, 2);
	put_bytes(&data, cip->b, cip->n);
	put(&data, 0, cip->n & 1u);
	put(put(&data, route->n / 2, 1), 0, 1);
	put_bytes(&data, route->b, route->n);
	return cip_note(0x52, &path, &data);
}

/* Forward Open; transport 0xa3: for requests, 1: for I/O. */
static inline struct note open_note(uint16_t serial, uint32_t id, uint8_t transport, uint16_t out,
				    const struct note *to)
{
	struct note data = NOTE(7, 249), path = NOTE(0x20, 6, 0x24, 1);

	put(put(put(put(put(put(&data, 0, 4), id, 4), serial, 2), 0x4d, 2), 0x32952bf3, 4), 0, 4);
	put(put(put(put(&data, 8000000, 4), out, 2), 8000000, 4), 0x43f4, 2);
	put(put(&data, transport, 1), to->n / 2, 1);
	put_bytes(&data, to->b, to->n);
	return cip_note(0x54, &path, &data);
}

static inline struct note close_note(uint16_t serial, const struct note *to)
{
	struct note data = NOTE(7, 249), path = NOTE(0x20, 6, 0x24, 1);

	put(put(put(put(put(&data, serial, 2), 0x4d, 2), 0x32952bf3, 4), to->n / 2, 1), 0, 1);
	put_bytes(&data, to->b, to->n);
	return cip_note(0x4e, &path, &data);
}

static inline struct note reply_note(uint8_t service, uint8_t status, const struct note *data)
{
	struct note w = { .n = 0 };

	put(put(put(put(&w, service | 0x80u, 1), 0, 1), status, 1), 0, 1);
	put_bytes(&w, data->b, data->n);
	return w;
}

static inline struct note opened_note(uint16_t serial, uint32_t out, uint32_t in)
{
	struct note data = { .n = 0 };

	put(put(put(put(put(&data, out, 4), in, 4), serial, 2), 0x4d, 2), 0x32952bf3, 4);
	put(put(put(&data, 8000000, 4), 8000000, 4), 0, 2);
	return reply_note(0x54, 0, &data);
}

static inline const struct pdu *says(struct desk *d, enum direction dir, struct note w)
{
	return desk_judge(d, dir, w.b, w.n);
}

static const struct note NOTHING;

/* Registers a session. False if the policy does not allow it. */
static inline bool begin_session(struct desk *d)
{
	struct note version = NOTE(1, 0, 0, 0);

	desk_reset(d);
	if (!says(d, DIR_C2S, encap_note(ENCAP_REGISTER, 0, 7, &version))->allowed)
		return false;
	return says(d, DIR_S2C, encap_note(ENCAP_REGISTER, HANDLE, 7, &version))->allowed;
}

/* Opens a connection for requests over this route; its identifiers are 0x100 + serial and 0x200 +
 * serial. */
static inline bool begin_connection(struct desk *d, uint16_t serial, const struct note *to)
{
	struct note ask = open_note(serial, 0x200u + serial, 0xa3, 0x43f4, to);
	struct note answer = opened_note(serial, 0x100u + serial, 0x200u + serial);

	return says(d, DIR_C2S, request_note(serial, &ask))->allowed &&
	       says(d, DIR_S2C, request_note(serial, &answer))->allowed;
}

static inline uint64_t place(uint16_t class, uint32_t instance, uint16_t attribute)
{
	return (uint64_t) class << 47 | (uint64_t)instance << 15 | attribute;
}

/* The set of one range of 64-bit numbers. */
static inline struct number_set wide(struct desk *d, uint64_t lo, uint64_t hi)
{
	struct number_set s = { .first = d->table.n_ranges, .n = 1 };

	d->ranges[d->table.n_ranges++] = (struct number_range){ lo, hi };
	return s;
}

#endif
