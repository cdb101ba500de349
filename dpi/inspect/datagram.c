/* SPDX-License-Identifier: Apache-2.0 */
/* UDP and ICMP: no stream, so each datagram is looked at alone until the flow has a name. A cut is a drop. */
#include <netinet/in.h>

#include "dpi/inspect/core.h"

static void name_datagram(struct look *l)
{
	struct naming n;

	if (permit_any(l->i, l->permit, l->d.l4proto)) {
		look_confirm(l, PROTO_NONE);
		look_accept(l, R_ALLOWED);
		return;
	}
	n = look_name(l, l->d.payload);
	switch (n.step) {
	case NAMING_PASS:
		look_touch(l);
		look_accept(l, n.reason);
		return;
	case NAMING_CONFIRM:
		look_confirm(l, n.protocol);
		look_accept(l, R_CONFIRMED);
		return;
	case NAMING_ANY:
		look_confirm(l, PROTO_NONE);
		look_accept(l, R_ALLOWED);
		return;
	case NAMING_COMMANDS: /* no enforcer of this version reads datagrams */
		look_refuse_flow(l, R_WRONG_PROTOCOL, n.protocol);
		return;
	case NAMING_REFUSE:
		look_refuse_flow(l, n.reason, n.protocol);
		return;
	}
}

void look_datagram(struct look *l)
{
	if (l->d.l4proto != IP_UDP && l->d.l4proto != IP_ICMP && l->d.l4proto != IP_ICMP6) {
		look_refuse(l, R_WRONG_PROTOCOL);
		return;
	}
	l->fi = flow_find(&l->i->flows, &l->d, &l->dir);
	if (l->fi == FLOW_NONE) {
		if (!look_new_flow(l, look_guess_dir(l)))
			return;
	} else {
		l->f = flow_at(&l->i->flows, l->fi);
		if (l->f->class == CLASS_ENDED)
			look_restart(l, look_guess_dir(l));
		else if (!look_relabel(l))
			return;
	}
	if (l->d.bad_checksum)
		l->f->bad_checksum = true;
	switch ((enum flow_kind)l->f->kind) {
	case KIND_REFUSED:
		look_touch(l);
		look_drop(l, (enum reason)l->f->reason);
		return;
	case KIND_NAMED:
	case KIND_FREE:
		look_touch(l);
		look_accept(l, R_ALLOWED);
		return;
	case KIND_FOLLOWED:
		name_datagram(l);
		return;
	}
}
