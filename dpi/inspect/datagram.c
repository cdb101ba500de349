/* SPDX-License-Identifier: Apache-2.0 */
/* UDP and ICMP: no stream, so each datagram is looked at alone until the flow has a name. A cut is a drop. */
#include <netinet/in.h>

#include "dpi/inspect/core.h"

static void name_datagram(struct crossing *x)
{
	struct naming n;

	if (permit_promises_any(x->i, x->permit, x->d.l4proto)) {
		crossing_confirm_flow(x, PROTO_NONE);
		crossing_accept(x, R_ALLOWED);
		return;
	}
	n = crossing_name_stream(x, x->d.payload);
	switch (n.step) {
	case NAMING_PASS:
		crossing_touch_flow(x);
		crossing_accept(x, n.reason);
		return;
	case NAMING_CONFIRM:
		crossing_confirm_flow(x, n.protocol);
		crossing_accept(x, R_CONFIRMED);
		return;
	case NAMING_ANY:
		crossing_confirm_flow(x, PROTO_NONE);
		crossing_accept(x, R_ALLOWED);
		return;
	case NAMING_COMMANDS: /* no enforcer of this version reads datagrams */
		crossing_refuse_flow(x, R_WRONG_PROTOCOL, n.protocol);
		return;
	case NAMING_REFUSE:
		crossing_refuse_flow(x, n.reason, n.protocol);
		return;
	}
}

void crossing_judge_datagram(struct crossing *x)
{
	if (x->d.l4proto != IP_UDP && x->d.l4proto != IP_ICMP && x->d.l4proto != IP_ICMP6) {
		crossing_refuse(x, R_WRONG_PROTOCOL);
		return;
	}
	x->fi = flow_find(&x->i->flows, &x->d, &x->dir);
	if (x->fi == FLOW_NONE) {
		if (!crossing_add_flow(x, crossing_guess_dir(x)))
			return;
	} else {
		x->f = flow_at(&x->i->flows, x->fi);
		if (x->f->class == CLASS_ENDED)
			crossing_restart_flow(x, crossing_guess_dir(x));
		else if (!crossing_relabel_flow(x))
			return;
	}
	if (x->d.bad_checksum)
		x->f->bad_checksum = true;
	switch ((enum flow_kind)x->f->kind) {
	case KIND_REFUSED:
		crossing_touch_flow(x);
		crossing_drop(x, (enum reason)x->f->reason);
		return;
	case KIND_NAMED:
	case KIND_FREE:
		crossing_touch_flow(x);
		crossing_accept(x, R_ALLOWED);
		return;
	case KIND_FOLLOWED:
		name_datagram(x);
		return;
	}
}
