/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/slmp/touch.h"

#include <stddef.h>

/* Whether a place is only read, and adjacent to the last one. */
static bool goes_on(const struct slmp_request *r, uint8_t space, uint64_t first, const struct values *values)
{
	const struct operation *last;

	if (r->n == 0 || values->form != VALUES_NONE)
		return false;
	last = &r->operations[r->n - 1u];
	return last->space == space && !last->place_unknown && last->values.form == VALUES_NONE &&
	       last->first + last->count == first;
}

void slmp_touch(struct slmp_request *r, uint8_t space, uint64_t first, uint64_t count, struct values values)
{
	bool room = r->n + 1u < r->max;
	uint32_t at = room ? r->n : r->max - 1u;

	if (goes_on(r, space, first, &values)) {
		r->operations[r->n - 1u].count += count;
		return;
	}
	r->operations[at] = r->like;
	r->operations[at].group = (uint8_t)at;
	r->operations[at].place_unknown = !room;
	if (room) {
		r->operations[at].space = space;
		r->operations[at].first = first;
		r->operations[at].count = count;
		r->operations[at].values = values;
	} else if (values.form != VALUES_NONE) {
		r->operations[at].values.form = VALUES_UNKNOWN;
	}
	r->n = at + 1u;
}

void slmp_touch_device(struct slmp_request *r, const struct slmp_device_number *d, uint64_t count, struct values values)
{
	if (d->device == NULL) {
		uint32_t n = r->n;

		slmp_touch(r, SPACE_NONE, 0, 0, values);
		r->operations[r->n - 1u].place_unknown = true;
		if (r->n > n && values.form != VALUES_NONE)
			r->operations[r->n - 1u].values = (struct values){ .form = VALUES_UNKNOWN };
		return;
	}
	slmp_touch(r, d->device->space, d->number, count, values);
	if (d->other != d->number)
		slmp_touch(r, d->device->space, d->other, count, values);
}

uint64_t slmp_points(const struct slmp_device_number *d, uint32_t words)
{
	return d->device != NULL ? slmp_device_points(d->device, words) : words;
}

struct values slmp_words_written(const struct slmp_device_number *d, uint32_t n, const struct slmp_reader *at)
{
	if (d->device != NULL && d->device->kind == SLMP_WORD)
		return values_at(at->ascii ? VALUES_HEX_U16 : VALUES_U16LE, n, at->b);
	if (d->device != NULL && d->device->kind == SLMP_BIT)
		return values_at(at->ascii ? VALUES_HEX_BITS : VALUES_BITS, n * 16u, at->b);
	return (struct values){ .form = VALUES_UNKNOWN };
}

struct values slmp_bits_written(const struct slmp_device_number *d, uint32_t n, const struct slmp_reader *at)
{
	if (d->device == NULL || d->device->kind != SLMP_BIT)
		return (struct values){ .form = VALUES_UNKNOWN };
	return values_at(at->ascii ? VALUES_HEX_U4 : VALUES_NIBBLES, n, at->b);
}
