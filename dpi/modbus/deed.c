/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/modbus/deed.h"

#include "dpi/modbus/pdu.h"
#include "dpi/modbus/rules.h"

void modbus_deed_note(struct bytes pdu, struct deed *ret)
{
	struct modbus_request r;

	modbus_request_parse(pdu, &r);
	*ret = (struct deed){ .unit = r.unit, .function = r.function, .well_formed = r.well_formed };
	if (!r.well_formed)
		return;
	ret->written = (uint8_t)r.written;
	ret->place_unknown = r.place_unknown;
	ret->value_unknown = r.value_unknown;
	ret->n_touches = r.n_touches;
	for (uint8_t i = 0; i < r.n_touches; i++) {
		ret->touches[i].space = r.touches[i].space;
		ret->touches[i].first = r.touches[i].first;
		ret->touches[i].n = r.touches[i].n;
	}
	for (uint32_t k = 0; k < r.n_values; k++) {
		uint16_t v = modbus_request_value(&r, k);

		ret->lo = k == 0 || v < ret->lo ? v : ret->lo;
		ret->hi = k == 0 || v > ret->hi ? v : ret->hi;
	}
}

/* The ruling on such a request that writes these values; both at once, as one request may. */
static void rule(const struct deed *d, uint16_t lo, uint16_t hi, const struct command_table *t,
		 const struct command_permit *p, struct modbus_request *r, struct modbus_ruling *ret)
{
	uint8_t room[4];
	struct outbuf o = outbuf_of(room, sizeof(room));

	*r = (struct modbus_request){
		.unit = d->unit,
		.function = d->function,
		.well_formed = true,
		.place_unknown = d->place_unknown,
		.value_unknown = d->value_unknown,
		.n_touches = d->n_touches,
		.written = (enum modbus_written)d->written,
		.n_values = d->written == MB_WRITES_NOTHING ? 0
			    : lo == hi			    ? 1
							    : 2,
		.value = lo,
	};
	for (uint8_t i = 0; i < d->n_touches; i++)
		r->touches[i] = (struct modbus_touch){ d->touches[i].space, d->touches[i].first, d->touches[i].n };
	if (d->written == MB_WRITES_BITS) {
		out_u8(&o, (uint8_t)(lo | hi << 1));
	} else {
		out_be16(&o, lo);
		out_be16(&o, hi);
	}
	r->values = bytes_of(room, o.len);
	modbus_rule(t, p, r, ret);
}

void modbus_deed_again(const struct deed *d, const struct command_table *t, const struct command_permit *p,
		       struct pdu *ret)
{
	bool single = d->n_touches > 0 && d->touches[d->n_touches - 1].n == 1; /* each wrote one of the values */
	struct modbus_ruling ruling = { .reason = R_MODBUS_FRAME, .choice = 0 };
	struct modbus_request r = { .n_touches = 0 };
	const struct command_grant *g;
	const struct command_row *row;

	if (d->well_formed && (!single || d->lo == d->hi)) {
		rule(d, d->lo, d->hi, t, p, &r, &ruling);
	} else if (d->well_formed) {
		rule(d, d->lo, d->lo, t, p, &r, &ruling);
		if (ruling.reason == R_ALLOWED)
			rule(d, d->hi, d->hi, t, p, &r, &ruling);
	}
	*ret = (struct pdu){ .unit = d->unit,
			     .function = d->function,
			     .space = MODBUS_NO_SPACE,
			     .reason = ruling.reason,
			     .allowed = ruling.reason == R_ALLOWED,
			     .conduit = EVENT_NO_CONDUIT };
	if (ruling.bad_touch < r.n_touches) {
		ret->space = r.touches[ruling.bad_touch].space;
		ret->address = r.touches[ruling.bad_touch].first;
		ret->quantity = r.touches[ruling.bad_touch].n;
	}
	if (!modbus_choice(t, p, ruling.choice, &g, &row))
		return;
	ret->conduit = g->conduit;
	ret->line = g->line;
	if (ret->allowed && row != NULL)
		ret->row = (struct place){ row->file, row->line };
}
