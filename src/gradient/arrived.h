/** What a file that arrived as a gradient can be besides: a list without names, or the weights of the model. */
#ifndef DLG_GRADIENT_ARRIVED_H
#define DLG_GRADIENT_ARRIVED_H

#include "gradient/gradient.h"

/**
 * Name the tensors of a list after the model's parameters in their order. Left out are integers (buffers), and copies
 * where the shape is not the next parameter's (tied ones come twice in a state_dict). Errors: DLG_ESHAPE, naming file
 * and place, where there are not as many of these shapes; DLG_ENOMEM. A file with names is left as it is.
 */
DLG_MUST_USE dlg_status dlg_name_by_order(dlg_safetensors *, const dlg_model *, dlg_error *);

/** DLG_EFORMAT where most of the gradient's tensors are the model's own weights, or those after a little training. */
DLG_MUST_USE dlg_status dlg_refuse_weights(const dlg_gradient *, dlg_error *);

#endif
