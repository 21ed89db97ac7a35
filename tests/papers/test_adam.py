import pytest
import torch
from torch.testing import assert_close

from paperimpl.papers.adam import Adam, AdaMax

D, H, T = 3, 5, 53  # all different primes
ALPHA, BETA_1, BETA_2 = 0.03, 0.9, 0.999
PAIRS = [(Adam, torch.optim.Adam), (AdaMax, torch.optim.Adamax)]


def walk(optimizer, gradients, *, restart=None, annealed=False, **options):
    """Feed gradients (T, ...) to an optimizer; return where the parameter was after each step."""
    theta = torch.zeros_like(gradients[0], requires_grad=True)
    steps = optimizer([theta], **options)
    path = []
    for t, g in enumerate(gradients):
        if t == restart:
            saved, steps = steps.state_dict(), optimizer([theta])
            steps.load_state_dict(saved)
        if annealed:
            steps.param_groups[0]["lr"] = options["lr"] / (t + 1) ** 0.5
        theta.grad = g.clone()
        steps.step()
        path.append(theta.detach().clone())
    return torch.stack(path)


def noise(*shape):
    """Gradients in float64 whose columns differ in size by up to 10^5."""
    return torch.randn(*shape, dtype=torch.float64) * torch.logspace(-4, 1, shape[-1], dtype=torch.float64)


@pytest.mark.oracle
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("options", [{}, {"lr": 0.1, "betas": (0.7, 0.97), "eps": 1e-3}, {"betas": (0.0, 0.5)}])
def test_every_step_is_that_of_torch(ours, theirs, options):
    g = noise(T, D, H)
    assert_close(walk(ours, g, **options), walk(theirs, g, **options), rtol=1e-12, atol=1e-14)


def train(optimizer):
    """Fit a product of two maps, each in its own group; return all parameters and the losses."""
    torch.manual_seed(1)
    x = torch.randn(7, D, dtype=torch.float64)
    a, b, idle = (torch.randn(D, H, dtype=torch.float64, requires_grad=True) for _ in range(3))
    steps = optimizer([{"params": [a, idle]}, {"params": [b], "lr": 0.1}], lr=0.01)

    def closure():
        steps.zero_grad()
        loss = (x @ a * (x @ b)).square().mean()
        loss.backward()
        return loss

    losses = torch.stack([steps.step(closure).detach() for _ in range(T)])
    return torch.stack([a, b, idle]).detach(), losses


@pytest.mark.oracle
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_it_drives_a_model_with_groups_a_closure_and_a_parameter_that_gets_no_gradient(ours, theirs):
    assert_close(train(ours), train(theirs), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("optimizer", [Adam, AdaMax])
def test_rescaling_the_gradient_of_a_coordinate_changes_not_one_bit(optimizer):  # sections 1 and 2.1
    g = noise(T, D, H)
    powers_of_two = 2.0 ** torch.randint(-20, 21, (D, H))  # floating point rescales by these without rounding
    assert_close(walk(optimizer, g * powers_of_two, eps=0.0), walk(optimizer, g, eps=0.0), rtol=0, atol=0)


@pytest.mark.parametrize("optimizer", [Adam, AdaMax])
def test_a_constant_gradient_moves_every_coordinate_by_the_step_size_from_the_first_step(optimizer):  # eq. 4
    g = noise(1, H)
    steps = torch.arange(1, T + 1, dtype=torch.float64)[:, None]  # (T, 1)
    path = walk(optimizer, g.expand(T, H), lr=ALPHA, eps=0.0)
    assert_close(path, -ALPHA * steps * g.sign(), rtol=1e-11, atol=0)


def test_a_lone_gradient_after_a_silence_takes_the_longest_step_of_section_2_1():
    beta_1, beta_2, t = 0.8, 0.99, 499
    g = torch.zeros(t, 1, dtype=torch.float64)
    g[-1] = 7e4  # so large that ε is nothing beside it
    corrections = (1 - beta_2**t) ** 0.5 / (1 - beta_1**t)
    longest = ALPHA * (1 - beta_1) / (1 - beta_2) ** 0.5 * corrections
    assert -walk(Adam, g, lr=ALPHA, betas=(beta_1, beta_2))[-1].item() == pytest.approx(longest, rel=1e-8)


def test_gradients_that_grow_steadily_take_a_step_more_than_twice_as_long_as_that():
    t = torch.arange(1499, dtype=torch.float64)[:, None]  # (1499, 1)
    path = walk(Adam, 1e-60 * (BETA_2 / BETA_1) ** t, lr=ALPHA, eps=0.0)
    last = (path[-2] - path[-1]).item()
    cauchy_schwarz = (1 - BETA_1) / ((1 - BETA_2) * (1 - BETA_1**2 / BETA_2)) ** 0.5
    assert last == pytest.approx(ALPHA * cauchy_schwarz * (1 - BETA_2 ** len(t)) ** 0.5, rel=1e-9)
    assert last > 2 * ALPHA * (1 - BETA_1) / (1 - BETA_2) ** 0.5


def test_gradients_that_shrink_at_rate_beta_2_take_adamax_just_past_the_step_size():  # "|step| <= alpha", 7.1
    beta_1, beta_2 = 0.9, 0.97
    t = torch.arange(199, dtype=torch.float64)[:, None]  # (199, 1)
    path = walk(AdaMax, 1e4 * beta_2**t, lr=ALPHA, betas=(beta_1, beta_2), eps=0.0)
    longest = ALPHA * (1 - beta_1) / (1 - beta_1 / beta_2)
    assert longest > 1.3 * ALPHA
    assert (path[-2] - path[-1]).item() == pytest.approx(longest, rel=1e-6)


def test_with_endless_memory_and_an_annealed_step_size_it_is_adagrad():  # section 5
    g = noise(T, H)
    ours = walk(Adam, g, betas=(0.0, 1 - 1e-9), eps=0.0, lr=ALPHA, annealed=True)
    assert_close(ours, walk(torch.optim.Adagrad, g, lr=ALPHA, eps=0.0), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("optimizer", [Adam, AdaMax])
def test_a_run_can_be_saved_and_resumed_without_a_trace(optimizer):
    g = noise(T, H)
    assert_close(walk(optimizer, g, restart=29), walk(optimizer, g), rtol=0, atol=0)


@pytest.mark.parametrize("optimizer", [Adam, AdaMax])
def test_a_coordinate_whose_gradient_has_always_been_0_stays_where_it_is(optimizer):
    g = noise(T, H)
    g[:, 2] = 0.0
    assert_close(walk(optimizer, g)[:, 2], torch.zeros(T, dtype=torch.float64), rtol=0, atol=0)


def test_the_default_step_sizes_are_the_papers():
    assert Adam([torch.zeros(1)]).defaults == {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8}
    assert AdaMax([torch.zeros(1)]).defaults["lr"] == 0.002


@pytest.mark.parametrize("beta", [1.0, -0.1])
def test_a_decay_rate_outside_0_to_1_is_refused(beta):
    with pytest.raises(ValueError, match=str(beta)):
        Adam([torch.zeros(1)], betas=(0.9, beta))
