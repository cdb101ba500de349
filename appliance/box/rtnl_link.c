/* SPDX-License-Identifier: Apache-2.0 */
/* Links: read one or all, change, make, move. */
#include "appliance/box/rtnl_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>
#include <linux/net_namespace.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

/* ---- reading --------------------------------------------------------------------------------- */

#define NESTED_MAX 16u /* the kernel nests at most 8 */

static void name_text(const struct nlattr *a, char out[16])
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
		name_text(a, d->kind);
	else if (mnl_attr_get_type(a) == IFLA_INFO_SLAVE_KIND)
		name_text(a, d->above);
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

static uint8_t hardware_address(const struct nlattr *a, uint8_t out[32])
{
	size_t n = mnl_attr_get_payload_len(a);

	if (n > 32)
		return 0;
	memcpy(out, mnl_attr_get_payload(a), n);
	return (uint8_t)n;
}

static int on_attribute(const struct nlattr *a, void *ctx)
{
	struct device *d = ctx;
	size_t n = mnl_attr_get_payload_len(a);
	uint32_t number = n == sizeof(number) ? mnl_attr_get_u32(a) : 0;

	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		name_text(a, d->name);
		break;
	case IFLA_MTU:
		d->mtu = number;
		break;
	case IFLA_MIN_MTU:
		d->mtu_min = number;
		break;
	case IFLA_MAX_MTU:
		d->mtu_max = number;
		break;
	case IFLA_ADDRESS:
		d->n_mac = hardware_address(a, d->mac);
		break;
	case IFLA_PERM_ADDRESS:
		d->n_own = hardware_address(a, d->own);
		break;
	case IFLA_CARRIER_CHANGES:
		d->changes = number;
		break;
	case IFLA_MASTER:
		d->master = number;
		break;
	case IFLA_LINK:
		d->parent = d->under = number;
		break;
	case IFLA_LINK_NETNSID:
		d->elsewhere = true;
		d->under_nsid = n == sizeof(number) ? (int32_t)number : -1;
		break;
	case IFLA_IFALIAS:
		d->ours = n >= sizeof(RTNL_ALIAS) - 1 && strncmp(mnl_attr_get_str(a), RTNL_ALIAS, n) == 0;
		break;
	case IFLA_STATS64:
		memcpy(&d->counted, mnl_attr_get_payload(a), n < sizeof(d->counted) ? n : sizeof(d->counted));
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

/* False: this is no message about a link. */
static bool link_read(const struct nlmsghdr *m, struct device *d)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);

	if (m->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(m) < sizeof(*info))
		return false;
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
	return true;
}

static int on_link(const struct nlmsghdr *m, void *ctx)
{
	struct devices *all = ctx;

	if (all->n == DEVICES_MAX)
		all->more = true;
	else if (link_read(m, &all->list[all->n]))
		all->n++;
	return MNL_CB_OK;
}

static int on_one(const struct nlmsghdr *m, void *ctx)
{
	link_read(m, ctx);
	return MNL_CB_OK;
}

static void devices_restart(void *ctx)
{
	struct devices *all = ctx;

	all->n = 0;
	all->more = false;
}

int devices_read(struct rtnl *r, struct devices *ret, struct err *e)
{
	devices_restart(ret);
	return rtnl_each(r, RTM_GETLINK, NULL, sizeof(struct ifinfomsg), on_link, devices_restart, ret, e);
}

bool device_is_pair(const struct device *d)
{
	return strcmp(d->kind, "veth") == 0 || strcmp(d->kind, "netkit") == 0;
}

/* Whether `d` lies on the device, whatever its kind; the other end of a pair does not count. */
static bool is_on(const struct device *d, uint32_t index, int32_t nsid)
{
	return !device_is_pair(d) && d->under == index &&
	       (nsid < 0 ? !d->elsewhere : d->elsewhere && d->under_nsid == nsid);
}

bool device_lies_on(const struct device *d, uint32_t index, int32_t nsid)
{
	return strcmp(d->kind, "vlan") == 0 && is_on(d, index, nsid);
}

/* Whether `d` is above the device, directly or above another one that is. */
static bool is_over(const struct devices *all, const struct device *d, uint32_t index)
{
	for (unsigned deep = 0; d != NULL && d->parent != 0 && deep < NESTED_MAX; deep++) {
		if (is_on(d, index, -1))
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

int rtnl_link_get(struct rtnl *r, const char *device, struct device *ret, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_GETLINK, 0);
	int status;

	*ret = (struct device){ 0 };
	if (strlen(device) >= IFNAMSIZ)
		return err_set(e, -ENODEV, "device %s", device);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, device);
	status = rtnl_talk(r, h, on_one, ret);
	if (status == 0 && ret->index == 0)
		status = -ENODEV;
	return status < 0 ? err_set(e, status, "device %s", device) : 0;
}

/* ---- changing -------------------------------------------------------------------------------- */

/* Begins a change of the link with that index. */
static struct nlmsghdr *link_change(struct rtnl *r, uint16_t type, uint32_t index, unsigned change, unsigned flags)
{
	struct nlmsghdr *h = rtnl_begin(r, type, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));

	ifi->ifi_index = (int)index;
	ifi->ifi_change = change;
	ifi->ifi_flags = flags;
	return h;
}

int rtnl_link_set(struct rtnl *r, uint32_t index, bool up, uint32_t mtu, struct err *e)
{
	struct nlmsghdr *h = link_change(r, RTM_NEWLINK, index, IFF_UP, up ? IFF_UP : 0);

	if (!rtnl_told(r, "changed", mtu != 0 ? "mtu" : up ? "down" : "up"))
		return 0;
	if (mtu != 0)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
	return rtnl_order(r, h, e, mtu != 0 ? "set its MTU to %u" : "set it up or down", mtu);
}

int rtnl_link_mute(struct rtnl *r, uint32_t index, bool mute, struct err *e)
{
	struct nlmsghdr *h = link_change(r, RTM_NEWLINK, index, IFF_NOARP, mute ? IFF_NOARP : 0);

	if (!rtnl_told(r, "changed", "arp"))
		return 0;
	return rtnl_order(r, h, e, "turn its ARP %s", mute ? "off" : "on");
}

int rtnl_link_pair(struct rtnl *r, const char *device, const char *peer, uint32_t mtu, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data, *other;

	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, device);
	if (mtu != 0)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(h, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, peer);
	mnl_attr_nest_end(h, other);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return rtnl_order(r, h, e, "device %s", device);
}

/* Sets the alias, which the kernel takes only after the device was made. If this fails, the device
 * is deleted, because otherwise nobody would recognise it. */
static int write_alias(struct rtnl *r, const char *device)
{
	struct nlmsghdr *h;
	struct device l;
	int status = rtnl_link_get(r, device, &l, NULL);

	if (status < 0)
		return status;
	h = link_change(r, RTM_SETLINK, l.index, 0, 0);
	mnl_attr_put_strz(h, IFLA_IFALIAS, RTNL_ALIAS);
	status = rtnl_talk(r, h, NULL, NULL);
	if (status < 0)
		rtnl_link_delete(r, l.index, NULL);
	return status;
}

int rtnl_link_vlan(struct rtnl *r, const char *device, uint32_t on, uint16_t vlan, bool ours, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data;
	int status;

	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, device);
	mnl_attr_put_u32(h, IFLA_LINK, on);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u16(h, IFLA_VLAN_ID, vlan);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	status = rtnl_talk(r, h, NULL, NULL);
	if (status == -EOPNOTSUPP)
		return err_set(e, status, "VLAN %u: this kernel has no 802.1Q", vlan);
	if (status == 0 && ours)
		status = write_alias(r, device);
	return status < 0 ? err_set(e, status, "VLAN %u, device %s", vlan, device) : 0;
}

static int on_nsid(const struct nlmsghdr *h, void *ctx)
{
	const struct nlattr *a;
	int32_t *ret = ctx;

	each_attr(a, h, sizeof(struct rtgenmsg)) {
		if (mnl_attr_get_type(a) == NETNSA_NSID && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			*ret = (int32_t)mnl_attr_get_u32(a);
	}
	return MNL_CB_OK;
}

int32_t rtnl_nsid(struct rtnl *r, int nsfd)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_GETNSID, 0);
	int32_t nsid = -1;

	mnl_nlmsg_put_extra_header(h, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(h, NETNSA_FD, (uint32_t)nsfd);
	return rtnl_talk(r, h, on_nsid, &nsid) < 0 ? -1 : nsid;
}

int rtnl_link_delete(struct rtnl *r, uint32_t index, struct err *e)
{
	struct nlmsghdr *h = link_change(r, RTM_DELLINK, index, 0, 0);

	return rtnl_order(r, h, e, "remove it");
}

int rtnl_link_move(struct rtnl *r, uint32_t index, int to_nsfd, const char *name, struct err *e)
{
	struct nlmsghdr *h = link_change(r, RTM_NEWLINK, index, 0, 0);

	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)to_nsfd);
	if (name != NULL)
		mnl_attr_put_strz(h, IFLA_IFNAME, name);
	return rtnl_order(r, h, e, "move it into its namespace");
}

int rtnl_link_mac(struct rtnl *r, uint32_t index, const uint8_t *mac, size_t n, struct err *e)
{
	struct nlmsghdr *h = link_change(r, RTM_NEWLINK, index, 0, 0);

	mnl_attr_put(h, IFLA_ADDRESS, n, mac);
	return rtnl_order(r, h, e, "set its MAC address");
}

int rtnl_link_master(struct rtnl *r, uint32_t index, uint32_t master, struct err *e)
{
	struct nlmsghdr *h = link_change(r, RTM_NEWLINK, index, 0, 0);

	mnl_attr_put_u32(h, IFLA_MASTER, master);
	return rtnl_order(r, h, e, "make it a port");
}
