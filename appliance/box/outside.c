/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "appliance/box/admin_rules.h"
#include "appliance/box/box.h"
#include "appliance/box/netns.h"
#include "appliance/box/outside.h"
#include "appliance/box/rtnl_private.h"

#define TABLES_MAX 32u

/* Attach types of tcx programs by number, because older headers lack them. */
#define TCX_INGRESS 46u
#define TCX_EGRESS 47u

struct looking {
	const struct ir *ir;
	bool admin; /* in the admin namespace */
	struct devices devices;
	box_difference *each;
	void *ctx;
	struct {
		uint32_t table, routes;
		uint8_t family;
	} tables[TABLES_MAX];
	size_t n_tables;
	char lines[16][120]; /* rules and qdiscs of one dump, reported when the dump is whole */
	size_t n_lines, more;
};

/* Reports a finding. `where` "namespace": the namespace as a whole. */
static void tell_finding(struct looking *l, const char *where, const char *detail)
{
	bool whole = strcmp(where, "namespace") == 0;
	char text[200];

	snprintf(text, sizeof(text), "%s%s%s", whole ? "" : where, whole ? "" : ": ", detail);
	l->each(l->ctx, l->admin ? "admin namespace" : where, "foreign", l->admin ? text : detail);
}

static void nothing(void *ctx)
{
	struct looking *l = ctx;

	l->n_lines = l->more = l->n_tables = 0;
}

static char *text_line(struct looking *l)
{
	static char surplus[120];

	if (l->n_lines == sizeof(l->lines) / sizeof(l->lines[0])) {
		l->more++;
		return surplus;
	}
	return l->lines[l->n_lines++];
}

static void tell_lines(struct looking *l, const char *where)
{
	char more[40];

	for (size_t i = 0; i < l->n_lines; i++)
		tell_finding(l, where, l->lines[i]);
	snprintf(more, sizeof(more), "+%zu", l->more);
	if (l->more > 0)
		tell_finding(l, where, more);
}

/* ---- links ----------------------------------------------------------------------------------- */

static const struct ir_interface *our_interface(const struct looking *l, const char *device)
{
	for (uint32_t i = 0; i < l->ir->n_interfaces; i++)
		if (l->ir->interfaces[i].admin == l->admin && strcmp(l->ir->interfaces[i].device, device) == 0)
			return &l->ir->interfaces[i];
	return NULL;
}

/* Whether a device of the policy is above `d`, for example a VLAN; then `d` has to be up. */
static bool carries_device(const struct looking *l, const struct device *d)
{
	for (uint32_t i = 0; i < l->ir->n_interfaces && !l->admin; i++)
		if (l->ir->interfaces[i].vlan != 0 && strcmp(l->ir->interfaces[i].card, d->name) == 0)
			return true;
	/* The two ends of a pair name each other, but neither is above the other. */
	for (size_t i = 0; i < l->devices.n; i++)
		if (l->devices.list[i].parent == d->index && !device_is_pair(&l->devices.list[i]) &&
		    our_interface(l, l->devices.list[i].name) != NULL)
			return true;
	return false;
}

/* The number of tcx programs at hook `place` of the device. 0 also when the kernel has no such hook
 * or does not say. */
static uint32_t programs(uint32_t index, uint32_t place)
{
	union bpf_attr q;
	uint32_t ids[4] = { 0 };
	long r;

	memset(&q, 0, sizeof(q));
	q.query.target_fd = index;
	q.query.attach_type = place;
	q.query.prog_ids = (uintptr_t)ids;
	q.query.prog_cnt = 4;
	r = syscall(SYS_bpf, BPF_PROG_QUERY, &q, sizeof(q));
	return r == 0 || errno == ENOSPC ? q.query.prog_cnt : 0;
}

/* tcx programs are queried by device number in the present namespace. */
static void look_programs(struct looking *l)
{
	for (size_t i = 0; i < l->devices.n; i++) {
		const struct device *d = &l->devices.list[i];
		char where[40], detail[60];
		uint32_t in = programs(d->index, TCX_INGRESS), out = programs(d->index, TCX_EGRESS);

		snprintf(where, sizeof(where), "device %s", d->name);
		snprintf(detail, sizeof(detail), "tcx: %u in, %u out", in, out);
		if (in + out > 0)
			tell_finding(l, where, detail);
	}
}

static void look_links(struct looking *l)
{
	for (size_t i = 0; i < l->devices.n; i++) {
		const struct device *d = &l->devices.list[i], *over = devices_at(&l->devices, d->master);
		const struct ir_interface *own = our_interface(l, d->name);
		char where[60], detail[80];

		snprintf(where, sizeof(where), own != NULL ? "interface %.40s" : "device %.40s",
			 own != NULL ? own->name : d->name);
		if (d->xdp)
			tell_finding(l, where, "XDP");
		if (own != NULL && d->master != 0) {
			snprintf(detail, sizeof(detail), "%s %s", d->above[0] != '\0' ? d->above : "master",
				 over != NULL ? over->name : "?");
			tell_finding(l, where, detail);
		}
		if (own == NULL && d->up && !d->loopback && !carries_device(l, d)) {
			snprintf(detail, sizeof(detail), "%s, up", d->kind[0] != '\0' ? d->kind : "device");
			tell_finding(l, where, detail);
		}
	}
	if (l->devices.more)
		tell_finding(l, "namespace", "more devices than are looked at");
}

/* ---- tc -------------------------------------------------------------------------------------- */

/* Whether the kernel makes such a qdisc by itself, or it only reorders packets. */
static bool is_ordinary(const char *kind)
{
	static const char *const kinds[] = {
		"noqueue", "mq", "fq_codel", "pfifo_fast", "pfifo", "bfifo", "fq", "noop"
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

static int on_qdisc(const struct nlmsghdr *m, void *ctx)
{
	const struct tcmsg *t = mnl_nlmsg_get_payload(m);
	struct looking *l = ctx;
	const struct device *d;
	const struct nlattr *a;
	char kind[16] = "";

	if (m->nlmsg_type != RTM_NEWQDISC || mnl_nlmsg_get_payload_len(m) < sizeof(*t))
		return MNL_CB_OK;
	each_attr(a, m, sizeof(*t))
		if (mnl_attr_get_type(a) == TCA_KIND)
			snprintf(kind, sizeof(kind), "%.*s", (int)mnl_attr_get_payload_len(a), mnl_attr_get_str(a));
	d = devices_at(&l->devices, (uint32_t)t->tcm_ifindex);
	if (!is_ordinary(kind))
		snprintf(text_line(l), 120, "device %s: tc %s", d != NULL ? d->name : "?", kind);
	return MNL_CB_OK;
}

/* ---- policy routing -------------------------------------------------------------------------- */

struct rule {
	uint32_t priority, table;
	uint16_t conditions; /* number of attributes that narrow the rule */
};

static int on_rule_attribute(const struct nlattr *a, void *ctx)
{
	struct rule *r = ctx;

	switch (mnl_attr_get_type(a)) {
	case FRA_PRIORITY:
		r->priority = mnl_attr_get_u32(a);
		break;
	case FRA_TABLE:
		r->table = mnl_attr_get_u32(a);
		break;
	case FRA_SRC:
	case FRA_DST:
	case FRA_IIFNAME:
	case FRA_OIFNAME:
	case FRA_FWMARK:
	case FRA_GOTO:
	case FRA_L3MDEV:
	case FRA_UID_RANGE:
	case FRA_IP_PROTO:
	case FRA_SPORT_RANGE:
	case FRA_DPORT_RANGE:
		r->conditions++;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

/* Whether this is one of the three rules that every new namespace has: for local addresses, main
 * table and default table. */
static bool is_born(const struct rule *r, uint8_t action)
{
	if (action != FR_ACT_TO_TBL || r->conditions > 0)
		return false;
	return (r->priority == 0 && r->table == RT_TABLE_LOCAL) ||
	       (r->priority == 32766 && r->table == RT_TABLE_MAIN) ||
	       (r->priority == 32767 && r->table == RT_TABLE_DEFAULT);
}

static int on_rule(const struct nlmsghdr *m, void *ctx)
{
	const struct fib_rule_hdr *h = mnl_nlmsg_get_payload(m);
	struct looking *l = ctx;
	struct rule r = { 0 };

	/* Families 128 and 129 are rules of multicast forwarding, which is off. */
	if (m->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(m) < sizeof(*h) ||
	    (h->family != AF_INET && h->family != AF_INET6))
		return MNL_CB_OK;
	r.table = h->table;
	mnl_attr_parse(m, sizeof(*h), on_rule_attribute, &r);
	if (!is_born(&r, h->action))
		snprintf(text_line(l), 120, "IPv%d rule %u: table %u", h->family == AF_INET ? 4 : 6, r.priority,
			 r.table);
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *m, void *ctx)
{
	const struct rtmsg *h = mnl_nlmsg_get_payload(m);
	struct looking *l = ctx;
	const struct nlattr *a;
	uint32_t table;
	size_t i = 0;

	if (m->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(m) < sizeof(*h) ||
	    (h->rtm_flags & RTM_F_CLONED) != 0 || (h->rtm_family != AF_INET && h->rtm_family != AF_INET6))
		return MNL_CB_OK;
	table = h->rtm_table;
	each_attr(a, m, sizeof(*h))
		if (mnl_attr_get_type(a) == RTA_TABLE)
			table = mnl_attr_get_u32(a);
	/* In the data namespace foreign routes of the main table are removed (facts.c); in the
	 * admin namespace they are allowed. */
	if ((table == RT_TABLE_LOCAL && (!l->admin || h->rtm_protocol == RTPROT_KERNEL)) || table == RT_TABLE_MAIN ||
	    table == RT_TABLE_UNSPEC)
		return MNL_CB_OK;
	while (i < l->n_tables && (l->tables[i].table != table || l->tables[i].family != h->rtm_family))
		i++;
	if (i == TABLES_MAX)
		return MNL_CB_OK;
	if (i == l->n_tables) {
		l->tables[i].table = table;
		l->tables[i].routes = 0;
		l->tables[l->n_tables++].family = h->rtm_family;
	}
	l->tables[i].routes++;
	return MNL_CB_OK;
}

static void tell_tables(struct looking *l, const char *where)
{
	char detail[80];

	for (size_t i = 0; i < l->n_tables; i++) {
		snprintf(detail, sizeof(detail), "IPv%d table %u: %u", l->tables[i].family == AF_INET ? 4 : 6,
			 l->tables[i].table, l->tables[i].routes);
		tell_finding(l, where, detail);
	}
}

/* ---- legacy iptables ------------------------------------------------------------------------- */

/* Reports the iptables tables that were ever opened in this namespace, because since then each
 * packet passes their hooks. */
static void look_legacy(struct looking *l, const char *path, const char *tool)
{
	char names[256], detail[80];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, names, sizeof(names) - 1);
	char *rest = names;

	if (fd >= 0)
		close(fd);
	names[n > 0 ? n : 0] = '\0';
	for (const char *name = strtok_r(names, "\n", &rest); name != NULL; name = strtok_r(NULL, "\n", &rest)) {
		snprintf(detail, sizeof(detail), "%s (legacy): %.40s", tool, name);
		tell_finding(l, "namespace", detail);
	}
}

static int look_inside(const struct box_spaces *s, struct looking *l, struct err *e)
{
	int r = netns_enter(l->admin ? s->admin : s->data, e);

	if (r < 0)
		return r;
	look_legacy(l, "/proc/thread-self/net/ip_tables_names", "iptables");
	look_legacy(l, "/proc/thread-self/net/ip6_tables_names", "ip6tables");
	look_legacy(l, "/proc/thread-self/net/arp_tables_names", "arptables");
	look_programs(l);
	netns_return(s->home);
	return 0;
}

/* Reports devices of the machine above a card of the box: they would send and receive over the card
 * without any rule. An end of a veth pair is not reported here; the box's namespace reports
 * its peer. */
static int look_home(const struct box_spaces *s, struct looking *l, struct err *e)
{
	struct rtnl *home = rtnl_open(s->home, s->home, e);
	int32_t numbers[2];
	int r;

	if (home == NULL)
		return e->code;
	r = devices_read(home, &l->devices, e);
	/* Only after devices_read: the kernel numbers a namespace when somebody asks for a device
	 * that is linked to one in it. */
	numbers[0] = rtnl_nsid(home, s->data);
	numbers[1] = rtnl_nsid(home, s->admin);
	for (size_t i = 0; r == 0 && i < l->devices.n; i++) {
		const struct device *d = &l->devices.list[i];
		char detail[80];

		if (!d->elsewhere || d->under == 0 || device_is_pair(d) || d->under_nsid < 0 ||
		    (d->under_nsid != numbers[0] && d->under_nsid != numbers[1]))
			continue;
		snprintf(detail, sizeof(detail), "device %s: %s", d->name, d->kind[0] != '\0' ? d->kind : "device");
		l->each(l->ctx, "first namespace", "foreign", detail);
	}
	if (r == 0 && l->devices.more)
		l->each(l->ctx, "first namespace", "foreign", "more devices than are looked at");
	rtnl_close(home);
	return r;
}

static int look_at(const struct box_spaces *s, struct looking *l, struct err *e)
{
	static const struct {
		uint16_t type;
		size_t header;
		rtnl_message *each;
		void (*tell)(struct looking *l, const char *where);
		const char *where;
	} lists[] = { { RTM_GETQDISC, sizeof(struct tcmsg), on_qdisc, tell_lines, "tc" },
		      { RTM_GETRULE, sizeof(struct fib_rule_hdr), on_rule, tell_lines, "routes" },
		      { RTM_GETROUTE, sizeof(struct rtmsg), on_route, tell_tables, "routes" } };
	struct rtnl *own = rtnl_open(l->admin ? s->admin : s->data, s->home, e);
	int r;

	if (own == NULL)
		return e->code;
	r = devices_read(own, &l->devices, e);
	if (r == 0)
		look_links(l);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && r == 0; i++) {
		r = rtnl_each(own, lists[i].type, NULL, lists[i].header, lists[i].each, nothing, l, e);
		if (r == 0)
			lists[i].tell(l, lists[i].where);
	}
	rtnl_close(own);
	return r < 0 ? r : look_inside(s, l, e);
}

struct others {
	box_difference *each;
	void *ctx;
};

static void tell_foreign(void *ctx, const char *what)
{
	const struct others *b = ctx;

	b->each(b->ctx, "admin namespace", "foreign", what);
}

/* Reports rules of other programs in the admin namespace. */
static int look_at_tables(const struct box_spaces *s, box_difference *each, void *ctx, struct err *e)
{
	struct others b = { each, ctx };
	int r = netns_enter(s->admin, e);

	if (r < 0)
		return r;
	r = plain_table_others(NFPROTO_INET, tell_foreign, &b, e);
	netns_return(s->home);
	return r;
}

int outside_look(const struct box_spaces *s, const struct ir *ir, box_difference *each, void *ctx, struct err *e)
{
	struct looking *l = calloc(1, sizeof(*l));
	int r = 0;

	if (l == NULL)
		return err_set(e, -ENOMEM, "what is beside our rules");
	l->ir = ir;
	l->each = each;
	l->ctx = ctx;
	for (int admin = 0; admin < 2 && r == 0; admin++) {
		l->admin = admin != 0;
		r = look_at(s, l, e);
	}
	if (r == 0)
		r = look_at_tables(s, each, ctx, e);
	if (r == 0)
		r = look_home(s, l, e);
	free(l);
	return r;
}

/* Whether the policy has an admin interface. If not, nobody may enter, as before the first
 * policy. */
static bool has_admin(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (ir->interfaces[i].admin)
			return true;
	return false;
}

int box_admin_rules(const struct box_spaces *s, const struct ir *ir, bool dry, plain_note *note, void *ctx,
		    struct err *e)
{
	int r = netns_enter(s->admin, e);

	if (r < 0)
		return r;
	r = admin_rules_set(ir->peers, ir->n_peers, !has_admin(ir), dry, note, ctx, e);
	netns_return(s->home);
	return r;
}

int box_admin_rules_base(const struct box_spaces *s, struct err *e)
{
	int r = netns_enter(s->admin, e);

	if (r < 0)
		return r;
	r = admin_rules_base(e);
	netns_return(s->home);
	return r;
}

int box_admin_rules_read(const struct box_spaces *s, const struct ir *ir, admin_rules_each *each, void *ctx,
			 struct admin_rules_seen *ret, struct err *e)
{
	int r = netns_enter(s->admin, e);

	*ret = (struct admin_rules_seen){ 0 };
	if (r < 0)
		return r;
	r = admin_rules_read(ir->peers, ir->n_peers, each, ctx, ret, e);
	netns_return(s->home);
	return r;
}
