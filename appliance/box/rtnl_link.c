/* SPDX-License-Identifier: Apache-2.0 */
/* Links: read one by name, change, make, move. */
#include "appliance/box/rtnl_private.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

struct link_answer {
	struct rtnl_link *link;
};

static int on_link(const struct nlmsghdr *h, void *ctx)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	struct rtnl_link *l = ((struct link_answer *)ctx)->link;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(h) < sizeof(*ifi))
		return MNL_CB_OK;
	l->index = (uint32_t)ifi->ifi_index;
	l->up = (ifi->ifi_flags & IFF_UP) != 0;
	l->mute = ifi->ifi_type == ARPHRD_ETHER && (ifi->ifi_flags & IFF_NOARP) != 0;
	each_attr(a, h, sizeof(*ifi))
	{
		uint16_t type = mnl_attr_get_type(a);
		uint32_t *to = type == IFLA_MTU	      ? &l->mtu
			       : type == IFLA_MIN_MTU ? &l->mtu_min
			       : type == IFLA_MAX_MTU ? &l->mtu_max
						      : NULL;

		if (to != NULL && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			*to = mnl_attr_get_u32(a);
	}
	return MNL_CB_OK;
}

int rtnl_link_get(struct rtnl *r, const char *device, struct rtnl_link *ret, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_GETLINK, 0);
	struct link_answer ctx = { .link = ret };
	int status;

	*ret = (struct rtnl_link){ 0 };
	if (strlen(device) >= IFNAMSIZ)
		return err_set(e, -ENODEV, "device %s", device);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, device);
	status = rtnl_talk(r, h, on_link, &ctx);
	if (status == 0 && ret->index == 0)
		status = -ENODEV;
	return status < 0 ? err_set(e, status, "device %s", device) : 0;
}

int rtnl_link_set(struct rtnl *r, uint32_t index, bool up, uint32_t mtu, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	int status;

	if (!rtnl_told(r, "changed", mtu != 0 ? "mtu" : up ? "down" : "up"))
		return 0;
	ifi->ifi_index = (int)index;
	ifi->ifi_change = IFF_UP;
	ifi->ifi_flags = up ? IFF_UP : 0;
	if (mtu != 0)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
	status = rtnl_talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, mtu != 0 ? "set its MTU to %u" : "set it up or down", mtu) : 0;
}

int rtnl_link_mute(struct rtnl *r, uint32_t index, bool mute, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	int status;

	if (!rtnl_told(r, "changed", "arp"))
		return 0;
	ifi->ifi_index = (int)index;
	ifi->ifi_change = IFF_NOARP;
	ifi->ifi_flags = mute ? IFF_NOARP : 0;
	status = rtnl_talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "turn its ARP %s", mute ? "off" : "on") : 0;
}

int rtnl_link_pair(struct rtnl *r, const char *device, const char *peer, uint32_t mtu, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data, *other;
	int status;

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
	status = rtnl_talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "device %s", device) : 0;
}

/* Sets the alias, which the kernel takes only after the device was made. If this fails, the device
 * is deleted, because otherwise nobody would recognise it. */
static int write_alias(struct rtnl *r, const char *device)
{
	struct nlmsghdr *h;
	struct rtnl_link l;
	int status = rtnl_link_get(r, device, &l, NULL);

	if (status < 0)
		return status;
	h = rtnl_begin(r, RTM_SETLINK, NLM_F_ACK);
	((struct ifinfomsg *)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg)))->ifi_index = (int)l.index;
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

	each_attr(a, h, sizeof(struct rtgenmsg))
	{
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
	struct nlmsghdr *h = rtnl_begin(r, RTM_DELLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	int status;

	ifi->ifi_index = (int)index;
	status = rtnl_talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "remove it") : 0;
}

int rtnl_link_move(struct rtnl *r, uint32_t index, int to_nsfd, const char *name, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	int status;

	ifi->ifi_index = (int)index;
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)to_nsfd);
	if (name != NULL)
		mnl_attr_put_strz(h, IFLA_IFNAME, name);
	status = rtnl_talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "move it into its namespace") : 0;
}

int rtnl_link_mac(struct rtnl *r, uint32_t index, const uint8_t *mac, size_t n, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	int status;

	ifi->ifi_index = (int)index;
	mnl_attr_put(h, IFLA_ADDRESS, n, mac);
	status = rtnl_talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "set its MAC address") : 0;
}

int rtnl_link_master(struct rtnl *r, uint32_t index, uint32_t master, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	int status;

	ifi->ifi_index = (int)index;
	mnl_attr_put_u32(h, IFLA_MASTER, master);
	status = rtnl_talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "make it a port") : 0;
}
