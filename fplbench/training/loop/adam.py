"""Adam without torch's compiler."""

import inspect

import torch


class Adam(torch.optim.Adam):
    """torch's Adam. Three of its methods are wrapped for torch.compile and import it at their first call, which takes longer
    than a short training; here they are taken as they are below the wrapper.
    """

    add_param_group = inspect.unwrap(torch.optim.Adam.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.Adam.zero_grad)
    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))
