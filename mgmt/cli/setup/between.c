/* SPDX-License-Identifier: Apache-2.0 */
/* A box between two switches: the shared network, which card leads to which part, the hosts there,
 * and the routers. */
#include <stdio.h>
#include <string.h>

#include "mgmt/cli/setup/cards.h"
#include "mgmt/cli/setup/setup.h"
#include "mgmt/cli/setup/sides.h"
#include "mgmt/cli/setup/step.h"

#define QUESTION 600u

/* A network, or the box's address in it, as people write it. */
static const char *range_text(const struct addr_range *r, char out[2 * ADDR_TEXT])
{
	addr_range_text(r, out, 2 * ADDR_TEXT);
	return out;
}

/* The network, 0 to SIDE_NETWORKS - 1, that the admin side uses too; SIDE_NETWORKS = none. */
static size_t with_admin(const struct setup *s)
{
	for (size_t i = 0; i < s->sides.n_networks; i++)
		for (size_t k = 0; k < s->admin.n_addresses; k++) {
			struct addr_range admin, both;
			bool stray;

			if (prefix_parse(s->admin.networks[k], &admin, &stray) &&
			    addr_range_meet(&admin, &s->sides.networks[i].range, &both))
				return i;
		}
	return SIDE_NETWORKS;
}

static void network_fault(struct setup *s, enum side_fault f, const char *word)
{
	step_tell(s,
		  f == SIDE_TWICE    ? M_SETUP_SHARED_TWICE
		  : f == SIDE_NOBODY ? M_SETUP_SHARED_NOBODY
		  : f == SIDE_SMALL  ? M_SETUP_SHARED_SMALL
				     : M_SETUP_SHARED_BAD,
		  word);
}

/* The box's free address in each family, which also gives the network. */
enum step_result step_shared_address(struct setup *s, size_t k)
{
	char line[SETUP_LINE], net[2 * ADDR_TEXT], *rest = NULL;
	enum step_result r = step_ask_plain(s, M_SETUP_SHARED, NULL, line);
	enum side_fault f = SIDE_WORD;
	size_t n;

	if (r != STEP_GO)
		return r;
	s->sides = (struct sides){ .n_networks = 0 };
	for (char *word = strtok_r(line, " ,", &rest); word != NULL; word = strtok_r(NULL, " ,", &rest)) {
		f = sides_network(&s->sides, word);
		if (f != SIDE_GOOD) {
			network_fault(s, f, word);
			return STEP_STAY;
		}
	}
	if (f != SIDE_GOOD) {
		network_fault(s, f, "");
		return STEP_STAY;
	}
	n = with_admin(s);
	if (n < SIDE_NETWORKS) {
		step_tell(s, M_SETUP_SHARED_ADMIN, range_text(&s->sides.networks[n].range, net));
		return STEP_STAY;
	}
	return STEP_GO;
}

static void hosts_fault(struct setup *s, enum side_fault f, const char *word)
{
	static const enum message texts[] = {
		[SIDE_WORD] = M_SETUP_HOSTS_BAD,	[SIDE_NOBODY] = M_SETUP_HOSTS_NOBODY,
		[SIDE_OUTSIDE] = M_SETUP_HOSTS_OUTSIDE, [SIDE_TAKEN] = M_SETUP_HOSTS_TAKEN,
		[SIDE_MANY] = M_SETUP_HOSTS_MANY,
	};
	char nets[SIDE_NETWORKS * 2 * ADDR_TEXT] = "", one[2 * ADDR_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < s->sides.n_networks; i++)
		n += (size_t)snprintf(nets + n, sizeof(nets) - n, "%s%s", i > 0 ? ", " : "",
				      range_text(&s->sides.networks[i].range, one));
	if (f == SIDE_MANY)
		step_tell(s, M_SETUP_HOSTS_MANY, SIDE_HOSTS);
	else
		step_tell(s, texts[f], word, nets);
}

/* The hosts behind side k; nobody named: all that are not behind the other side. */
enum step_result step_hosts(struct setup *s, size_t k)
{
	char line[SETUP_LINE], net[2 * ADDR_TEXT], *rest = NULL;
	enum step_result r = step_ask_plain(s, M_SETUP_HOSTS, NULL, line);

	if (r != STEP_GO)
		return r;
	/* The answers about this side and later ones are asked again. */
	for (size_t i = k; i < SIDES; i++)
		s->sides.n_hosts[i] = 0;
	for (char *word = strtok_r(line, " ,", &rest); word != NULL; word = strtok_r(NULL, " ,", &rest)) {
		enum side_fault f = sides_host(&s->sides, k, word);

		if (f != SIDE_GOOD) {
			hosts_fault(s, f, word);
			return STEP_STAY;
		}
	}
	if (k == SIDES - 1 && s->sides.n_hosts[0] == 0 && s->sides.n_hosts[k] == 0) {
		step_tell(s, M_SETUP_HOSTS_NONE);
		return STEP_STAY;
	}
	/* Easily forgotten: if only one address of a host with IPv4 and IPv6 is named, the host
	 * counts as one of the other side by its other address. */
	for (size_t i = 0; s->sides.n_hosts[k] > 0 && i < s->sides.n_networks; i++)
		if (!sides_names(&s->sides, k, i))
			step_tell(s, M_SETUP_HOSTS_FAMILY, range_text(&s->sides.networks[i].range, net));
	return STEP_GO;
}

static enum step_result ask_of(struct setup *s, const char *question, const char *otherwise, char out[SETUP_LINE])
{
	enum said said = setup_ask(s, question, otherwise, out);

	step_plain(out);
	return said == SAID_BACK ? STEP_BACK : said == SAID_QUIT ? STEP_QUIT : STEP_GO;
}

/* The router of network k to other networks. */
enum step_result step_gateway(struct setup *s, size_t k)
{
	struct side_network *x = &s->sides.networks[k];
	char line[SETUP_LINE], question[QUESTION], net[2 * ADDR_TEXT], example[ADDR_TEXT] = "";
	struct addr first;
	enum step_result r;

	range_text(&x->range, net);
	if (addr_next(&x->range.lo, &first))
		addr_text(&first, example);
	message_text(question, sizeof(question), s->c->lang, M_SETUP_GATEWAY, net, example);
	r = ask_of(s, question, NULL, line);
	if (r != STEP_GO)
		return r;
	x->gateway.family = 0;
	if (line[0] == '\0' || sides_gateway(&s->sides, k, line) == SIDE_GOOD)
		return STEP_GO;
	step_tell(s, M_SETUP_GATEWAY_BAD, line, net);
	return STEP_STAY;
}

/* The router's side, which is compared with the answers about hosts. */
enum step_result step_gateway_side(struct setup *s, size_t k)
{
	struct side_network *x = &s->sides.networks[k];
	const struct setup_interface *a = &s->data[0], *b = &s->data[1];
	char line[SETUP_LINE], question[QUESTION], who[ADDR_TEXT];
	size_t known = sides_of(&s->sides, &x->gateway), side;
	enum step_result r;

	if (x->gateway.family == 0)
		return s->going_back ? STEP_BACK : STEP_GO;
	addr_text(&x->gateway, who);
	message_text(question, sizeof(question), s->c->lang, M_SETUP_GATEWAY_SIDE, who, a->zone, a->card->name, b->zone,
		     b->card->name);
	r = ask_of(s, question, known == SIDES ? NULL : known == 0 ? "1" : "2", line);
	if (r != STEP_GO)
		return r;
	if (strcmp(line, "1") != 0 && strcmp(line, "2") != 0) {
		step_tell(s, M_SETUP_CHOOSE, SIDES);
		return STEP_STAY;
	}
	side = line[0] == '1' ? 0 : 1;
	if (known < SIDES && known != side) {
		step_tell(s, M_SETUP_GATEWAY_OTHER, who, s->data[known].zone);
		return STEP_STAY;
	}
	x->gateway_side = side;
	return STEP_GO;
}
