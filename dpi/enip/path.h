/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Padded EPATHs: what a CIP request is about, and the way to it (The CIP Networks Library volume 1, appendix C). A path is
 * read whole or not at all: every segment has a meaning here, nothing is left over, and pad bytes are 0. Part of the EtherNet/IP
 * enforcer, used by nobody else. Pure.
 */
#ifndef SEKISHO_DPI_ENIP_PATH_H
#define SEKISHO_DPI_ENIP_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/operation.h"
#include "appliance/wire/tag.h"

#define CLASS_SYMBOL 0x6bu /* its instances are the tags */

#define PATH_OBJECTS 3u /* a routine of a program of a task is the deepest that controllers have */
#define PATH_POINTS 3u	/* connection points: consumed, produced, or of a request one */

struct enip_object {
	uint16_t class;
	uint32_t instance;
	uint16_t attribute;
	bool has_instance, has_attribute;
};

struct enip_path {
	struct enip_object objects[PATH_OBJECTS]; /* from the outermost in */
	uint8_t n_objects;
	uint32_t points[PATH_POINTS];
	uint8_t n_points;
	bool has_tag;
	uint64_t tag;		     /* of the whole name */
	uint64_t within[WITHIN_MAX]; /* of what it is a part of, the outermost first */
	uint8_t n_within;
	uint32_t route;	    /* the first hop: port * 256 + link; 0: the device itself */
	bool far;	    /* more hops, or one that this number cannot say */
	bool config;	    /* data for a configuration is in it */
	struct bytes whole; /* all of it, borrowed */
};

/* A request's: objects, or a tag with its elements, or a tag by its instance and members of it by name. False: it is none. */
bool enip_path_request(struct bytes b, struct enip_path *ret);
/* A connection's: hops, a key, objects with connection points, and what else a Forward Open may carry. */
bool enip_path_connection(struct bytes b, struct enip_path *ret);
/* Hops alone. */
bool enip_path_route(struct bytes b, struct enip_path *ret);
/* The name of the tag in a path of which the above made one. False: it names none. */
bool enip_path_spell(struct bytes b, char out[TAG_MAX + 1u]);

#endif
