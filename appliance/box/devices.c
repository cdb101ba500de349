/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/devices.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#define NESTED_MAX 16u /* the kernel nests at most 8 */

static void text(const struct nlattr *a, char out[16])
{
	snprintf(out, 16, "%.*s", (int)mnl_attr_get_payload_len(a), mnl_attr_get_str(a));
}

static int on_vlan(const struct nlattr *a, void *ctx)
{
	struct device *d = ctx;
	struct ifla_vlan_flags flags;
	uint16_t protocol;

	if (mnl_attr_get_type(a) == IFLA_VLAN_ID && mnl_attr_get_payload_len(a) == sizeof(uint16_t)) {
		d->vlan = mnl_attr_get_u16(a);
	} else if (mnl_attr_get_type(a) == IFLA_VLAN_PROTOCOL && mnl_attr_get_payload_len(a) == sizeof(protocol)) {
		protocol = mnl_attr_get_u16(a);
		d->vlan_plain = d->vlan_plain && protocol == htons(ETH_P_8021Q);
	} else if (mnl_attr_get_type(a) == IFLA_VLAN_FLAGS && mnl_attr_get_payload_len(a) == sizeof(flags)) {
		memcpy(&flags, mnl_attr_get_payload(a), sizeof(flags));
		d->vlan_plain = d->vlan_plain && flags.flags == VLAN_FLAG_REORDER_HDR;
	}
	return MNL_CB_OK;
}

/* The kernel sends the kind before the data of that kind. */
static int on_info(const struct nlattr *a, void *ctx)
{
	struct device *d = ctx;

	if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
		text(a, d->kind);
	else if (mnl_attr_get_type(a) == IFLA_INFO_SLAVE_KIND)
		text(a, d->above);
	else if (mnl_attr_get_type(a) == IFLA_INFO_DATA && strcmp(d->kind, "vlan") == 0) {
		d->vlan_plain = true;
		mnl_attr_parse_nested(a, on_vlan, d);
	}
	return MNL_CB_OK;
}

static int on_xdp(const struct nlattr *a, void *ctx)
{
	struct device *d = ctx;

	if (mnl_attr_get_type(a) == IFLA_XDP_ATTACHED && mnl_attr_get_payload_len(a) == 1)
		d->xdp = mnl_attr_get_u8(a) != 0;
	return MNL_CB_OK;
}

static void counters(const struct nlattr *a, struct device *d)
{
	struct rtnl_link_stats64 s = { 0 };
	size_t n = mnl_attr_get_payload_len(a);

	memcpy(&s, mnl_attr_get_payload(a), n < sizeof(s) ? n : sizeof(s));
	d->rx_packets = s.rx_packets;
	d->rx_bytes = s.rx_bytes;
	d->rx_errors = s.rx_errors;
	d->rx_dropped = s.rx_dropped;
	d->tx_packets = s.tx_packets;
	d->tx_bytes = s.tx_bytes;
	d->tx_errors = s.tx_errors;
	d->tx_dropped = s.tx_dropped;
}

static int on_attribute(const struct nlattr *a, void *ctx)
{
	struct device *d = ctx;
	bool u32 = mnl_attr_get_payload_len(a) == sizeof(uint32_t);

	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		text(a, d->name);
		break;
	case IFLA_MTU:
		d->mtu = u32 ? mnl_attr_get_u32(a) : 0;
		break;
	case IFLA_ADDRESS:
		d->n_mac = mnl_attr_get_payload_len(a) <= sizeof(d->mac) ? (uint8_t)mnl_attr_get_payload_len(a) : 0;
		memcpy(d->mac, mnl_attr_get_payload(a), d->n_mac);
		break;
	case IFLA_PERM_ADDRESS:
		d->n_own = mnl_attr_get_payload_len(a) <= sizeof(d->own) ? (uint8_t)mnl_attr_get_payload_len(a) : 0;
		memcpy(d->own, mnl_attr_get_payload(a), d->n_own);
		break;
	case IFLA_CARRIER_CHANGES:
		d->changes = u32 ? mnl_attr_get_u32(a) : 0;
		break;
	case IFLA_MASTER:
		d->master = u32 ? mnl_attr_get_u32(a) : 0;
		break;
	case IFLA_LINK:
		d->parent = d->under = u32 ? mnl_attr_get_u32(a) : 0;
		break;
	case IFLA_LINK_NETNSID:
		d->elsewhere = true;
		d->under_nsid = u32 ? (int32_t)mnl_attr_get_u32(a) : -1;
		break;
	case IFLA_IFALIAS:
		d->ours = mnl_attr_get_payload_len(a) >= sizeof(RTNL_ALIAS) - 1 &&
			  strncmp(mnl_attr_get_str(a), RTNL_ALIAS, mnl_attr_get_payload_len(a)) == 0;
		break;
	case IFLA_STATS64:
		counters(a, d);
		break;
	case IFLA_XDP:
		mnl_attr_parse_nested(a, on_xdp, d);
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(a, on_info, d);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *m, void *ctx)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	struct devices *all = ctx;
	struct device *d;

	if (m->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(m) < sizeof(*info))
		return MNL_CB_OK;
	if (all->n == DEVICES_MAX) {
		all->more = true;
		return MNL_CB_OK;
	}
	d = &all->list[all->n++];
	*d = (struct device){
		.index = (uint32_t)info->ifi_index,
		.up = (info->ifi_flags & IFF_UP) != 0,
		.carrier = (info->ifi_flags & IFF_RUNNING) != 0,
		.loopback = (info->ifi_flags & IFF_LOOPBACK) != 0,
		.mute = info->ifi_type == ARPHRD_ETHER && (info->ifi_flags & IFF_NOARP) != 0,
	};
	mnl_attr_parse(m, sizeof(*info), on_attribute, d);
	if (d->elsewhere)
		d->parent = 0;
	return MNL_CB_OK;
}

static void restart(void *ctx)
{
	struct devices *all = ctx;

	all->n = 0;
	all->more = false;
}

int devices_read(struct rtnl *r, struct devices *ret, struct err *e)
{
	restart(ret);
	return rtnl_each(r, RTM_GETLINK, sizeof(struct ifinfomsg), on_link, restart, ret, e);
}

bool device_is_pair(const struct device *d)
{
	return strcmp(d->kind, "veth") == 0 || strcmp(d->kind, "netkit") == 0;
}

bool device_is_on(const struct device *d, uint32_t index, int32_t nsid)
{
	return !device_is_pair(d) && d->under == index &&
	       (nsid < 0 ? !d->elsewhere : d->elsewhere && d->under_nsid == nsid);
}

bool device_lies_on(const struct device *d, uint32_t index, int32_t nsid)
{
	return strcmp(d->kind, "vlan") == 0 && device_is_on(d, index, nsid);
}

/* Whether `d` is above the device, directly or above another one that is. */
static bool is_over(const struct devices *all, const struct device *d, uint32_t index)
{
	for (unsigned deep = 0; d != NULL && d->parent != 0 && deep < NESTED_MAX; deep++) {
		if (device_is_on(d, index, -1))
			return true;
		d = device_is_pair(d) ? NULL : devices_at(all, d->parent);
	}
	return false;
}

const struct device *devices_stays(const struct devices *all, uint32_t index)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct device *d = &all->list[i];

		if ((d->vlan == 0 || !d->vlan_plain) && is_over(all, d, index))
			return d;
	}
	return NULL;
}

const struct device *devices_find(const struct devices *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->list[i].name, name) == 0)
			return &d->list[i];
	return NULL;
}

const struct device *devices_at(const struct devices *d, uint32_t index)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].index == index)
			return &d->list[i];
	return NULL;
}
