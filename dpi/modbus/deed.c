/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/modbus/deed.h"

#include "dpi/modbus/state.h"

void modbus_deed_note(struct bytes pdu, struct deed *ret)
{
	struct modbus_request r;

	modbus_request_parse(pdu, &r);
	*ret = (struct deed){ .unit = r.unit, .function = r.function, .well_formed = r.well_formed };
	for (uint8_t i = 0; r.well_formed && i < r.n; i++) {
		struct operation o = operation_kept(&r.operations[i]);

		ret->place_unknown = o.place_unknown;
		ret->value_unknown = o.values.form == VALUES_UNKNOWN;
		if (o.space != SPACE_NONE) {
			ret->touches[i].space = o.space;
			ret->touches[i].first = (uint32_t)o.first;
			ret->touches[i].n = (uint32_t)o.count;
			ret->n_touches++;
		}
		if (o.values.form == VALUES_BETWEEN) {
			ret->written = 1;
			ret->lo = (uint16_t)o.values.lo;
			ret->hi = (uint16_t)o.values.hi;
		}
	}
}

/* The ruling on such a request that writes these values; both at once, as one request may. */
static void rule(const struct deed *d, uint16_t lo, uint16_t hi, const struct command_table *t,
		 const struct command_permit *p, struct modbus_request *r, struct ruling *ret)
{
	const struct operation plain = { .service = d->function,
					 .targets = { d->unit },
					 .broadcast = modbus_broadcasts(d->unit, d->function),
					 .place_unknown = d->place_unknown,
					 .space = SPACE_NONE,
					 .values.form = d->value_unknown ? VALUES_UNKNOWN : VALUES_NONE };

	r->n = d->n_touches > 0 ? d->n_touches : 1;
	for (uint8_t i = 0; i < r->n; i++) {
		r->operations[i] = plain;
		if (d->n_touches == 0)
			continue;
		r->operations[i].space = d->touches[i].space;
		r->operations[i].first = d->touches[i].first;
		r->operations[i].count = d->touches[i].n;
	}
	if (d->written != 0)
		r->operations[r->n - 1].values =
			(struct values){ VALUES_BETWEEN, lo == hi ? 1 : 2, .lo = lo, .hi = hi };
	evaluate(t, p, vocabulary_of(PROTO_MODBUS), r->operations, r->n, ret);
}

void modbus_deed_again(const struct deed *d, const struct command_table *t, const struct command_permit *p,
		       struct pdu *ret)
{
	bool single = d->n_touches > 0 && d->touches[d->n_touches - 1].n == 1; /* each wrote one of the values */
	struct ruling ruling = { .reason = R_MODBUS_FRAME, .choice = 0 };
	struct modbus_request r = { .n = 0 };

	if (d->well_formed && (!single || d->lo == d->hi)) {
		rule(d, d->lo, d->hi, t, p, &r, &ruling);
	} else if (d->well_formed) {
		rule(d, d->lo, d->lo, t, p, &r, &ruling);
		if (ruling.reason == R_ALLOWED)
			rule(d, d->hi, d->hi, t, p, &r, &ruling);
	}
	*ret = (struct pdu){ .unit = d->unit,
			     .function = d->function,
			     .space = SPACE_NONE,
			     .reason = ruling.reason,
			     .allowed = ruling.reason == R_ALLOWED };
	modbus_name_place(&r, &ruling, ret);
	if (d->well_formed)
		modbus_name_ruling(&ruling, ret);
	else
		modbus_name_conduit(t, p, 0, ret);
}
