import { Component, type ComponentChildren } from 'preact'

interface Props {
  /** What the card shows, for the line in its place: `hit`. */
  noun: string
  /** Names it to whom must look for it: its id. */
  id: string
  children: ComponentChildren
}

/** Keeps a card that fails from taking the page with it: one line stands in its place, and the others stay. */
export class CardBoundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false }

  override componentDidCatch(): void {
    this.setState({ failed: true })
  }

  override componentDidUpdate(previous: Props): void {
    // A later revision may be whole.
    if (this.state.failed && previous.children !== this.props.children) this.setState({ failed: false })
  }

  render({ noun, id, children }: Props) {
    if (!this.state.failed) return children
    return (
      <li class="card-failed" role="note">
        This {noun} cannot be shown. Its id is <code>{id}</code>; look it up with <code>platestream ask history</code>.
      </li>
    )
  }
}
