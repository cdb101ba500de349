/* SPDX-License-Identifier: Apache-2.0 */
/* Building the operations of one message, for cip.c, data.c and connect.c. Part of the
 * EtherNet/IP enforcer. */
#ifndef SEKISHO_DPI_ENIP_BUILD_H
#define SEKISHO_DPI_ENIP_BUILD_H

#include "dpi/enip/cip.h"
#include "dpi/enip/words.h"

struct build {
	struct parsed *p;
	struct cip_way way;
	uint8_t group;
	bool crowded; /* more operations than there is room for */
};

/* One request: its parsed path, and the data that follow the path. */
struct cip_request {
	uint8_t service;
	uint32_t code;
	struct enip_path path;
	struct bytes data;
};

/* One more operation of the group, NULL when there is no room. */
struct operation *build_add(struct build *b, uint32_t code);
/* Sets the operation's addresses: attributes `first` to `last` of an object. Where the path names
 * no instance or attribute, all of them are meant. */
void build_place(struct operation *o, const struct enip_object *object, uint32_t first, uint32_t last);
/* Sets the operation's addresses to those of a tag. */
void build_place_tag(struct operation *o, const struct enip_path *path);
/* Adds the operations of a request. False: its data do not have the form that its
 * service requires. */
bool build_request(struct build *b, const struct cip_request *r);
/* Adds the operations of a Forward Open or Forward Close. */
bool build_opening(struct build *b, const struct cip_request *r, struct cip_asked *ret);
bool build_closing(struct build *b, const struct cip_request *r, struct cip_asked *ret);
/* Adds the operations of Execute PCCC, which carries a command of controllers older than Logix. */
bool build_pccc(struct build *b, const struct cip_request *r);

#endif
