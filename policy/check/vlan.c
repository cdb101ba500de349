/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VLANs in box.cfg: several interfaces on one card, told apart by the number in a frame's tag (IEEE
 * 802.1Q-2018, 9.6). The box refuses other frames on such a card (without a tag, with two, of
 * another VLAN), so interfaces that would need those are refused here.
 */
#include <string.h>

#include "policy/check/check.h"

#define DEVICE_NAME_MOST 15u /* IFNAMSIZ without its NUL */

void vlan_name(struct check *k, struct model_interface *i, const struct ast_node *vlan)
{
	struct object o = { MP_OBJ_INTERFACE, i->name };
	const char *name;

	/* An invalid number was reported; the device is not compared with others. */
	if (vlan->number != i->vlan) {
		i->vlan = 0;
		i->device = "";
		return;
	}
	name = arena_printf(k->a, "%s.%u", i->device, i->vlan);
	if (name == NULL)
		return;
	if (strlen(name) > DEVICE_NAME_MOST)
		diag_hint(k->d, check_value(k, SEV_ERROR, "policy.name", vlan, MP_VLAN_NAME_LONG, o, name),
			  MP_HINT_VLAN_NAME_LONG, DEVICE_NAME_MOST);
	i->card = i->device;
	i->device = name;
}

static void place(struct diag *g, const struct model_interface *at, const struct model_interface *also)
{
	g->width = (uint32_t)strlen(at->name);
	g->also = also->at;
}

/* Reports a conflict of two interfaces, `a` first in the text; true when there is one. */
static bool report_pair(struct check *k, const struct model_interface *a, const struct model_interface *b)
{
	const struct model_interface *tagged = a->vlan != 0 ? a : b, *other = a->vlan != 0 ? b : a;

	if (tagged->vlan == 0)
		return false;
	if (other->vlan == 0 && strcmp(tagged->card, other->device) == 0)
		place(diag_add(k->d, SEV_ERROR, "policy.vlan", b->at, MP_VLAN_UNTAGGED, tagged->card, tagged->name,
			       tagged->vlan, other->name),
		      b, a);
	else if (strcmp(a->card, b->device) == 0 || strcmp(b->card, a->device) == 0)
		place(diag_add(k->d, SEV_ERROR, "policy.vlan", b->at, MP_VLAN_DOUBLE, a->name, b->name), b, a);
	else if (other->vlan == 0 || strcmp(a->card, b->card) != 0)
		return false;
	else if (a->vlan == b->vlan)
		place(diag_add(k->d, SEV_ERROR, "policy.duplicate", b->at, MP_VLAN_TWICE, a->vlan, a->card, a->name,
			       b->name),
		      b, a);
	else if ((a->mtu == 0) != (b->mtu == 0))
		place(diag_add(k->d, SEV_ERROR, "policy.vlan", b->at, MP_VLAN_MTU, a->card,
			       a->mtu != 0 ? a->name : b->name, a->mtu != 0 ? b->name : a->name),
		      b, a);
	else
		return false;
	return true;
}

void check_vlans(struct check *k)
{
	const struct model_box *b = &k->m->box;

	for (size_t i = 1; i < b->n_interfaces; i++)
		for (size_t j = 0; j < i; j++)
			if (report_pair(k, &b->interfaces[j], &b->interfaces[i]))
				break;
}
