/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/greet.h"

#include <string.h>

#include "appliance/wire/tls.h"
#include "dpi/inspect/weak.h"

/* It was confirmed by its client's first bytes; `r` is what else is known. */
static struct verdict let_go(struct crossing *x, enum reason r)
{
	struct verdict v = confirm((enum protocol)x->f->protocol);

	x->f->greets = false;
	v.reason = (uint16_t)r;
	return v;
}

struct verdict greet_let_go(struct crossing *x)
{
	return let_go(x, R_TLS_UNSEEN);
}

bool greet_begin(struct crossing *x, enum protocol p, struct bytes fresh)
{
	struct flow *f = x->f;
	uint64_t before = f->stream.dir[DIR_C2S].offset;

	/* Only from the first byte on: the few that passed before it was recognised are kept for that. */
	if (p != PROTO_TLS || f->l4proto != IP_TCP || x->dir != DIR_C2S || f->stream.dir[DIR_S2C].offset > 0 ||
	    before > f->name.prefix_len[DIR_C2S] || fresh.left == 0)
		return false;
	memset(&f->hello, 0, sizeof(f->hello));
	hello_take(&f->hello, DIR_C2S, bytes_of(f->name.prefix[DIR_C2S], (size_t)before));
	f->greets = true;
	f->protocol = (uint16_t)p;
	return true;
}

struct verdict greet_take(struct crossing *x, struct bytes fresh)
{
	struct hello *h = &x->f->hello;
	uint32_t bits;

	switch (hello_take(h, x->dir, fresh)) {
	case HELLO_GOES_ON:
		return go_on();
	case HELLO_READ:
		if (x->dir == DIR_C2S)
			return go_on();
		bits = tls_weak(h->version, h->suite);
		if (bits == 0)
			return let_go(x, R_CONFIRMED);
		weak_note_tls(x, h, bits);
		return let_go(x, tls_weak_is_lesser(bits) ? R_TLS_LESSER : R_TLS_WEAK);
	case HELLO_ALERT: /* it declined: there is no session */
		return let_go(x, R_CONFIRMED);
	case HELLO_BAD:
		break;
	}
	return greet_let_go(x);
}
