/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk for testing frames of the MC protocol: desk.h, with a writer of frames in all four forms.
 * Numbers are written in the given form, so that one line of a test covers binary and ASCII.
 */
#ifndef SEKISHO_TESTS_SLMP_DESK_H
#define SEKISHO_TESTS_SLMP_DESK_H

#include <stdio.h>

#include "dpi/slmp/slmp.h"
#include "dpi/slmp/words.h"

#define DESK_ENFORCER slmp_enforcer
#include "tests/unit/dpi/desk.h"

static const uint8_t all_forms[4] = { SLMP_FORM, SLMP_FORM | SLMP_4E, SLMP_FORM | SLMP_ASCII,
				      SLMP_FORM | SLMP_ASCII | SLMP_4E };

struct text {
	uint8_t p[2 * SLMP_PDU_MAX + 16384];
	size_t n;
	bool ascii;
};

static inline void put(struct text *t, unsigned width, uint32_t v)
{
	uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
	char digits[12];

	snprintf(digits, sizeof(digits), "%0*X", (int)(2 * width), v);
	memcpy(t->p + t->n, t->ascii ? (const void *)digits : (const void *)bytes, t->ascii ? 2u * width : width);
	t->n += t->ascii ? 2u * width : width;
}

static inline void put_raw(struct text *t, const void *p, size_t n)
{
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

/* A device as MELSEC-Q and L write it, or (`wide`) iQ-R. */
static inline void put_device(struct text *t, bool wide, const char *name, uint8_t code, bool hex, uint32_t number)
{
	char s[24];

	if (!t->ascii) {
		put(t, wide ? 4 : 3, number);
		put(t, wide ? 2 : 1, code);
		return;
	}
	snprintf(s, sizeof(s), "%s****", name);
	put_raw(t, s, wide ? 4 : 2);
	if (hex)
		snprintf(s, sizeof(s), "%0*X", wide ? 8 : 6, number);
	else
		snprintf(s, sizeof(s), "%0*u", wide ? 8 : 6, number);
	put_raw(t, s, wide ? 8 : 6);
}

static inline void put_d(struct text *t, bool wide, uint32_t number)
{
	put_device(t, wide, "D", 0xa8, false, number);
}

static inline void put_m(struct text *t, bool wide, uint32_t number)
{
	put_device(t, wide, "M", 0x90, false, number);
}

static inline struct text data_of(uint8_t form)
{
	return (struct text){ .ascii = (form & SLMP_ASCII) != 0 };
}

struct whom {
	uint32_t network, station, module, multidrop;
};

static const struct whom own = { 0, 0xff, 0x3ff, 0 };

static inline struct text frame_of(uint8_t form, bool asks, uint16_t serial, struct whom to, const struct text *rest)
{
	struct text t = data_of(form);
	uint32_t sub = (asks ? 0x50u : 0xd0u) | (form & SLMP_4E ? 4u : 0u);

	put(&t, 2, t.ascii ? sub << 8 : sub);
	if (form & SLMP_4E) {
		put(&t, 2, serial);
		put(&t, 2, 0);
	}
	put(&t, 1, to.network);
	put(&t, 1, to.station);
	put(&t, 2, to.module);
	put(&t, 1, to.multidrop);
	put(&t, 2, (uint32_t)rest->n);
	put_raw(&t, rest->p, rest->n);
	return t;
}

static inline struct text request_of(uint8_t form, uint16_t serial, struct whom to, uint32_t service,
				     const struct text *data)
{
	struct text rest = data_of(form);

	put(&rest, 2, 16);
	put(&rest, 2, service >> 16);
	put(&rest, 2, service & 0xffffu);
	put_raw(&rest, data->p, data->n);
	return frame_of(form, true, serial, to, &rest);
}

static inline struct text answer_of(uint8_t form, uint16_t serial, struct whom to, uint32_t end_code,
				    const struct text *data)
{
	struct text rest = data_of(form);

	put(&rest, 2, end_code);
	put_raw(&rest, data->p, data->n);
	return frame_of(form, false, serial, to, &rest);
}

/* A write to D with the frame `inner` hidden in its data, `at` bytes behind the beginning of the
 * values. */
static inline struct text hiding(uint8_t form, const struct text *inner, size_t at, size_t *ret_where)
{
	struct text t = data_of(form);
	size_t unit = t.ascii ? 4 : 2, n = (at + inner->n + unit - 1) / unit * unit;

	put_d(&t, false, 0);
	put(&t, 2, (uint32_t)(n / unit));
	memset(t.p + t.n, '0', n);
	memcpy(t.p + t.n + at, inner->p, inner->n);
	t.n += n;
	t = request_of(form, 1, own, 0x14010000, &t);
	*ret_where = t.n - n + at;
	return t;
}

static inline const struct pdu *ask(struct desk *d, uint8_t form, uint16_t serial, uint32_t service,
				    const struct text *data)
{
	struct text t = request_of(form, serial, own, service, data);

	return desk_judge(d, DIR_C2S, t.p, t.n);
}

static inline const struct pdu *tell(struct desk *d, uint8_t form, uint16_t serial, uint32_t end_code,
				     const struct text *data)
{
	struct text t = answer_of(form, serial, own, end_code, data);

	return desk_judge(d, DIR_S2C, t.p, t.n);
}

/* Judges a read of `n` words of D from `first`. */
static inline const struct pdu *read_d(struct desk *d, uint8_t form, uint16_t serial, uint32_t first, uint32_t n)
{
	struct text t = data_of(form);

	put_d(&t, false, first);
	put(&t, 2, n);
	return ask(d, form, serial, 0x04010000, &t);
}

/* `n` words, all with this value. */
static inline struct text words(uint8_t form, uint32_t n, uint32_t value)
{
	struct text t = data_of(form);

	for (uint32_t i = 0; i < n; i++)
		put(&t, 2, value);
	return t;
}

/* Limits the row to the addresses lo..hi of one space. */
static inline struct command_row *only(struct desk *d, uint8_t space, uint32_t lo, uint32_t hi)
{
	struct command_row *row = desk_row(d);

	desk_space(d, row, space, desk_ranges(d, (uint32_t[]){ lo, hi }, 1));
	return row;
}

#endif
