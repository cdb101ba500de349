/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/datagram.h"

#include <netinet/in.h>

#include "dpi/inspect/life.h"
#include "dpi/inspect/name.h"
#include "dpi/inspect/relabel.h"
#include "dpi/inspect/rules.h"

static MUST_SEND struct verdict name_datagram(struct crossing *x)
{
	struct naming n;

	if (promises_any(x->table, x->permit, x->d.l4proto))
		return confirm(PROTO_NONE);
	n = name_bytes(x, x->d.payload);
	switch (n.step) {
	case NAMING_PASS:
		life_touch(x);
		return pass(n.reason);
	case NAMING_CONFIRM:
		return confirm(n.protocol);
	case NAMING_ANY:
		return confirm(PROTO_NONE);
	case NAMING_COMMANDS: /* no enforcer of this version reads datagrams */
		return end_flow(R_WRONG_PROTOCOL, n.protocol);
	case NAMING_REFUSE:
		return end_flow(n.reason, n.protocol);
	}
	return refuse(R_WRONG_PROTOCOL); /* no such step */
}

struct verdict datagram_judge(struct crossing *x)
{
	struct verdict v = go_on();

	if (x->d.l4proto != IP_UDP && x->d.l4proto != IP_ICMP && x->d.l4proto != IP_ICMP6)
		return refuse(R_WRONG_PROTOCOL);
	x->fi = flow_find(&x->i->flows, &x->d, &x->dir);
	if (x->fi == FLOW_NONE) {
		if (!life_open(x, life_guess_dir(x)))
			return refuse(R_OVERLOADED);
	} else {
		x->f = flow_at(&x->i->flows, x->fi);
		if (x->f->class == CLASS_ENDED)
			life_restart(x, life_guess_dir(x));
		else
			v = relabel(x);
		if (v.step != STEP_ON)
			return v;
	}
	if (x->d.bad_checksum)
		x->f->bad_checksum = true;
	switch ((enum flow_kind)x->f->kind) {
	case KIND_REFUSED:
		life_touch(x);
		return drop((enum reason)x->f->reason);
	case KIND_NAMED:
	case KIND_FREE:
		life_touch(x);
		return pass(R_ALLOWED);
	case KIND_FOLLOWED:
		return name_datagram(x);
	}
	return refuse(R_WRONG_PROTOCOL); /* no such kind */
}
